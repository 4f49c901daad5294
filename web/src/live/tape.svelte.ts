/** One stream's past: its overview, and its states as they are asked for. Pages of it are read ahead, so that a
 * needle that is dragged finds each state at hand. */
import { PatchMismatch } from '../fold/patch';
import { type Entry, PAGE, Reel } from '../fold/reel';
import type { StreamOverview } from '../fold/scrubber';
import { get, pathOf, troubleOf } from './api';

/** Bars of the scrubber, at most. */
const BUCKETS = 300;
/** Pages that are read ahead, without being asked for. */
const AHEAD = 10;
/** States that were asked for alone and are kept. */
const SINGLES = 60;

interface HistoryPage {
  entries: Entry[];
  next: number | null;
}

/** Answer of `GET …/until`. `more`: it did not get to the end in its time. */
interface Until {
  found: boolean;
  sequence: number;
  more?: boolean;
}
/** How often it is asked to go on. */
const MOST_ASKED = 200;

interface StateAnswer {
  state: unknown;
}

export class Tape {
  overview = $state.raw<StreamOverview | null>(null);
  /** Grows with each page that was read; read it to be told. */
  version = $state(0);
  busy = $state(false);
  isAbsent = $state(false);
  trouble = $state('');

  #reel = new Reel();
  #singles = new Map<number, unknown>();
  #reading = new Map<number, Promise<void>>();
  #wanted = 0;
  /** Pages whose patches do not fit their states: there, each state is asked for whole. */
  #broken = new Set<number>();

  constructor(
    readonly stream: string,
    readonly projection: string,
  ) {}

  #query(more: Record<string, string>): string {
    return new URLSearchParams({ ...(this.projection ? { projection: this.projection } : {}), ...more }).toString();
  }

  get last(): number {
    return this.overview?.last?.sequence ?? 0;
  }

  get first(): number {
    return this.overview?.first?.sequence ?? 1;
  }

  /** Reads the overview again when the stream went on; what was read before stays. */
  async load(): Promise<void> {
    this.busy = true;
    try {
      const before = this.last;
      this.overview = await get<StreamOverview>(`${pathOf('state', this.stream)}/overview?${this.#query({ buckets: String(BUCKETS) })}`);
      [this.isAbsent, this.trouble] = [false, ''];
      if (before > 0 && before < this.last) this.#reel.drop(Reel.pageOf(before));
      if (before !== this.last) void this.#ahead();
      this.version += 1;
    } catch (error) {
      if (this.overview === null) ({ isAbsent: this.isAbsent, trouble: this.trouble } = troubleOf(error));
    } finally {
      this.busy = false;
    }
  }

  /** Whether the stream is longer than what is known of it. */
  async isBehind(): Promise<boolean> {
    const { sequence } = await get<{ sequence: number }>(`${pathOf('streams', this.stream)}?wait=0`).catch(() => ({ sequence: 0 }));
    return sequence > this.last;
  }

  /** The first event behind `from` after which a jq condition holds; null when there is none. */
  async until(where: string, from: number): Promise<number | null> {
    let answer: Until = { found: false, sequence: from, more: true };
    for (let count = 0; count < MOST_ASKED && !answer.found && answer.more === true; count += 1) {
      answer = await get<Until>(`${pathOf('state', this.stream)}/until?${this.#query({ where, from: String(answer.sequence) })}`);
    }
    return answer.found ? answer.sequence : null;
  }

  async #ahead(): Promise<void> {
    const pages = Math.min(AHEAD, Math.ceil(this.last / PAGE));
    for (let page = 0; page < pages; page += 1) await this.#read(page);
  }

  state(sequence: number): unknown {
    void this.version;
    return this.#reel.state(sequence) ?? this.#singles.get(sequence);
  }

  entry(sequence: number): Entry | undefined {
    void this.version;
    return this.#reel.entry(sequence);
  }

  around(sequence: number, span: number): Entry[] {
    void this.version;
    return this.#reel.around(sequence, span, 60);
  }

  next(sequence: number, step: 1 | -1, wanted: (entry: Entry) => boolean): number | null {
    return this.#reel.next(sequence, step, wanted);
  }

  /** Sees to it that the state of an event, and those around it, will be there. */
  async want(sequence: number): Promise<void> {
    if (sequence < this.first || sequence > this.last) return;
    this.#wanted = sequence;
    const page = Reel.pageOf(sequence);
    if (!this.#reel.has(page)) await Promise.all([this.#single(sequence), this.#read(page)]);
    const near = Reel.pageOf(sequence + (sequence % PAGE < PAGE / 2 ? -PAGE / 2 : PAGE / 2));
    if (this.#wanted === sequence && near !== page && Reel.first(near) <= this.last) await this.#read(near);
  }

  async #single(sequence: number): Promise<void> {
    if (this.#singles.has(sequence)) return;
    try {
      const { state } = await get<StateAnswer>(`${pathOf('state', this.stream)}?${this.#query({ sequence: String(sequence) })}`);
      this.#singles.set(sequence, state);
      const oldest = this.#singles.keys().next().value;
      if (this.#singles.size > SINGLES && oldest !== undefined) this.#singles.delete(oldest);
      this.version += 1;
    } catch (error) {
      this.trouble = troubleOf(error).trouble;
    }
  }

  #read(page: number): Promise<void> {
    if (this.#reel.has(page) || this.#broken.has(page)) return Promise.resolve();
    const reading = this.#reading.get(page) ?? this.#page(page).finally(() => this.#reading.delete(page));
    this.#reading.set(page, reading);
    return reading;
  }

  async #page(page: number): Promise<void> {
    const from = Math.max(this.first, Reel.first(page));
    const to = Math.min(this.last, Reel.first(page + 1) - 1);
    try {
      const [first, entries] = await Promise.all([
        get<StateAnswer>(`${pathOf('state', this.stream)}?${this.#query({ sequence: String(from) })}`),
        this.#history(from, to),
      ]);
      this.#reel.add(page, first.state, entries);
      this.trouble = '';
      this.version += 1;
    } catch (error) {
      if (error instanceof PatchMismatch) this.#broken.add(page);
      else this.trouble = troubleOf(error).trouble;
    }
  }

  async #history(from: number, to: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (let next: number | null = from; next !== null && next <= to; ) {
      const asked = this.#query({ from: String(next), to: String(to), limit: String(PAGE) });
      const page: HistoryPage = await get(`${pathOf('state', this.stream)}/history?${asked}`);
      entries.push(...page.entries);
      // A cursor that does not move would never end.
      next = page.next !== null && page.next > next ? page.next : null;
    }
    return entries;
  }
}
