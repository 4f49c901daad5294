/** The states of a stream, event by event, as far as they were loaded. A page of them is one state and the patches
 * behind it; every state in it is then at hand, and shares with its neighbours what did not change. */
import { apply, type Operation } from './patch';
import type { Family } from './row';

export interface Entry {
  sequence: number;
  position: number;
  at: string;
  id: string;
  type: string;
  actor?: string | null;
  summary?: string | null;
  patch?: Operation[];
}

/** Events of a page; the server's own limit of a history. */
export const PAGE = 200;
/** Pages that are kept; the least used go first. */
const MOST_PAGES = 30;

interface Page {
  entries: Entry[];
  states: Map<number, unknown>;
}

export class Reel {
  #pages = new Map<number, Page>();

  static pageOf(sequence: number): number {
    return Math.floor((Math.max(1, sequence) - 1) / PAGE);
  }

  static first(page: number): number {
    return page * PAGE + 1;
  }

  has(page: number): boolean {
    return this.#pages.has(page);
  }

  /** `first` is the state behind the page's first event. */
  add(page: number, first: unknown, entries: readonly Entry[]): void {
    const states = new Map<number, unknown>();
    const from = Reel.first(page);
    let state = first;
    for (const entry of entries) {
      if (entry.sequence > from) state = apply(state, entry.patch ?? []);
      states.set(entry.sequence, state);
    }
    this.#pages.delete(page);
    this.#pages.set(page, { entries: [...entries], states });
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= MOST_PAGES) break;
      this.#pages.delete(oldest);
    }
  }

  /** Forgets what may have grown since it was read. */
  drop(page: number): void {
    this.#pages.delete(page);
  }

  /** The state behind an event; undefined when it is not loaded. */
  state(sequence: number): unknown {
    return this.#pages.get(Reel.pageOf(sequence))?.states.get(sequence);
  }

  entry(sequence: number): Entry | undefined {
    const found = this.#pages.get(Reel.pageOf(sequence));
    const guess = found?.entries[sequence - (found.entries[0]?.sequence ?? 0)];
    return guess?.sequence === sequence ? guess : found?.entries.find((entry) => entry.sequence === sequence);
  }

  /** What happened within `span` milliseconds of an event, at most `most` before it and behind it. */
  around(sequence: number, span: number, most: number): Entry[] {
    const middle = this.entry(sequence);
    if (!middle) return [];
    const at = Date.parse(middle.at);
    const near: Entry[] = [middle];
    for (const step of [-1, 1]) {
      for (let count = 1; count <= most; count += 1) {
        const entry = this.entry(sequence + step * count);
        if (!entry || Math.abs(Date.parse(entry.at) - at) > span) break;
        if (step < 0) near.unshift(entry);
        else near.push(entry);
      }
    }
    return near;
  }

  /** The next event that changed the state, or that failed, in a direction; null when none is loaded. */
  next(sequence: number, step: 1 | -1, wanted: (entry: Entry) => boolean): number | null {
    for (let index = sequence + step; ; index += step) {
      const entry = this.entry(index);
      if (!entry) return null;
      if (wanted(entry)) return entry.sequence;
    }
  }
}

export function changes(entry: Entry): boolean {
  return (entry.patch?.length ?? 0) > 0;
}

const FAMILIES: readonly [RegExp, Family][] = [
  [/(?:Failed|Failure|_failure|ErrorOccurred|\.failed|[Ee]rror|_exceeded)$/, 'fail'],
  [/(?:Paused|permission_request|permission_denied|hitl_escalated|Escalated|hitl_acknowledged)$/, 'ask'],
  [/^(?:Agent|agent_)|subagent/, 'agent'],
  [/^(?:TestRun|QualityCheck)|tool_use/, 'tool'],
  [/^Recovery|^tacho\.|^Checkpoint/, 'reaction'],
  [/user_prompt_submit|task_queued/, 'turn'],
  [/\.stop$/, 'answer'],
  [/^(?:Orchestration|Phase)|session_|\.notification|_batch$|^claude_code\./, 'system'],
];

/** The family of an event of which only the type is known. */
export function familyOf(type: string): Family {
  return FAMILIES.find(([pattern]) => pattern.test(type))?.[1] ?? 'marker';
}
