/** Many letters at once: the server does a part of them at a time, and says how many are left. */

export interface Swept {
  count: number;
  left: number;
}

export interface Progress {
  done: number;
  left: number;
}

/** Asks until nothing is left, the server refuses (null) or `goesOn` says no. The answer is how far it came. */
export async function sweep(ask: () => Promise<Swept | null>, tell: (progress: Progress) => void, goesOn: () => boolean): Promise<Progress & { isRefused: boolean }> {
  const progress: Progress = { done: 0, left: 0 };
  for (;;) {
    const answer = await ask();
    if (answer === null) return { ...progress, isRefused: true };
    progress.done += answer.count;
    progress.left = answer.left;
    tell({ ...progress });
    // A part without a letter would be asked for for ever.
    if (answer.left === 0 || answer.count === 0 || !goesOn()) return { ...progress, isRefused: false };
  }
}
