/** Many letters at once: the server does a part of them at a time, and says how many are left. */

export interface Swept {
  count: number;
  left: number;
}

export interface Progress {
  done: number;
  left: number;
}

/** Asks until nothing is left, `most` are done, the server refuses (null) or `goesOn` says no. What fails again is dead again:
 * without `most` it would be asked for again and again. The answer is how far it came. */
export async function sweep(most: number, ask: () => Promise<Swept | null>, tell: (progress: Progress) => void, goesOn: () => boolean): Promise<Progress & { isRefused: boolean }> {
  const progress: Progress = { done: 0, left: 0 };
  for (;;) {
    const answer = await ask();
    if (answer === null) return { ...progress, isRefused: true };
    progress.done += answer.count;
    progress.left = answer.left;
    tell({ ...progress });
    if (answer.left === 0 || answer.count === 0 || progress.done >= most || !goesOn()) return { ...progress, isRefused: false };
  }
}
