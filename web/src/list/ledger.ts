/** A list as long as the log, of which only what is looked at is loaded: newest first, with a true scrollbar.
 *
 * The log's positions are cut into chunks. What a chunk holds is known once it was loaded; until then it is estimated from
 * those that were. */
import { type Row, rowOf } from '../fold/row';
import type { EventPage } from '../live/api';

/** Positions in a chunk. */
export const CHUNK = 500;
/** Chunks whose rows are kept; of others only their count is. */
const KEPT = 40;

export type Fetch = (query: URLSearchParams) => Promise<EventPage>;

interface Chunk {
  /** Null until loaded. */
  count: number | null;
  rows: Row[] | null;
  /** Positions that were counted. */
  span: number;
  /** The log grew within it: what is shown stays until it was read again. */
  isStale: boolean;
}

const unknown = (): Chunk => ({ count: null, rows: null, span: 0, isStale: false });

export class Ledger {
  #chunks: Chunk[];
  #used: number[] = [];
  #matches = 0;
  #scanned = 0;

  constructor(
    readonly conditions: URLSearchParams,
    public head: number,
    readonly fetch: Fetch,
  ) {
    this.#chunks = Array.from({ length: Math.ceil(head / CHUNK) }, unknown);
  }

  /** Of a hundred positions, how many match, as far as was seen. */
  get #density(): number {
    return this.#scanned === 0 ? 1 : this.#matches / this.#scanned;
  }

  #countOf(index: number): number {
    const known = this.#chunks[index]?.count;
    if (known !== null && known !== undefined) return known;
    const span = Math.min(CHUNK, this.head - index * CHUNK);
    return Math.round(span * this.#density);
  }

  get total(): number {
    return this.#chunks.reduce((sum, _, index) => sum + this.#countOf(index), 0);
  }

  /** Whether every chunk was loaded once, so that the total is no estimate. */
  get isExact(): boolean {
    return this.#chunks.every((chunk) => chunk.count !== null);
  }

  #locate(index: number): { chunk: number; offset: number } | null {
    let rest = index;
    for (let chunk = this.#chunks.length - 1; chunk >= 0; chunk -= 1) {
      const count = this.#countOf(chunk);
      if (rest < count) return { chunk, offset: rest };
      rest -= count;
    }
    return null;
  }

  row(index: number): Row | null {
    const found = this.#locate(index);
    return (found && this.#chunks[found.chunk]?.rows?.[found.offset]) ?? null;
  }

  /** The index of the newest row at or before a position; exact where it is loaded. */
  indexOf(position: number): number {
    const wanted = Math.max(0, Math.ceil(position / CHUNK) - 1);
    let above = 0;
    for (let chunk = this.#chunks.length - 1; chunk > wanted; chunk -= 1) above += this.#countOf(chunk);
    const rows = this.#chunks[wanted]?.rows;
    const inside = rows ? rows.findIndex((row) => row.position <= position) : Math.round(((wanted + 1) * CHUNK - position) * this.#density);
    return above + Math.max(0, inside);
  }

  /** The newest chunk among these rows that is not loaded. */
  missing(first: number, end: number): number | null {
    const top = this.#locate(first);
    // A filter that matches nothing so far is looked for in the whole log.
    if (!top) return this.#firstUnknown();
    const bottom = this.#locate(Math.max(first, end - 1))?.chunk ?? 0;
    for (let chunk = top.chunk; chunk >= bottom; chunk -= 1) {
      const one = this.#chunks[chunk];
      if (one && (one.count === null || one.isStale || (one.rows === null && one.count > 0))) return chunk;
    }
    return null;
  }

  #firstUnknown(): number | null {
    const index = this.#chunks.findLastIndex((chunk) => chunk.count === null);
    return index < 0 ? null : index;
  }

  /** Loads a chunk, and those below it that the same answers cover. */
  async load(index: number): Promise<void> {
    const floor = index * CHUNK;
    const query = new URLSearchParams(this.conditions);
    query.set('reverse', 'true');
    query.set('after', String(Math.min(this.head, (index + 1) * CHUNK) + 1));
    query.set('limit', String(CHUNK));
    const events: Row[] = [];
    let covered = (index + 1) * CHUNK;
    while (covered > floor) {
      const page = await this.fetch(query);
      events.push(...page.events.map(rowOf));
      covered = page.next === null ? 0 : Math.min(covered, page.scanned_to - 1);
      if (page.next !== null) query.set('cursor', page.next);
      else break;
    }
    this.#take(index, covered, events);
  }

  #take(index: number, covered: number, rows: readonly Row[]): void {
    for (let chunk = index; chunk >= 0 && chunk * CHUNK >= covered; chunk -= 1) {
      const mine = rows.filter((row) => row.position > chunk * CHUNK && row.position <= (chunk + 1) * CHUNK);
      const one = this.#chunks[chunk];
      if (!one) continue;
      const span = Math.min(CHUNK, this.head - chunk * CHUNK);
      this.#scanned += span - one.span;
      this.#matches += mine.length - (one.count ?? 0);
      one.span = span;
      one.isStale = false;
      one.count = mine.length;
      one.rows = mine;
      this.#keep(chunk);
    }
  }

  #keep(chunk: number): void {
    this.#used = [...this.#used.filter((other) => other !== chunk), chunk];
    while (this.#used.length > KEPT) {
      const oldest = this.#chunks[this.#used.shift() ?? 0];
      if (oldest) oldest.rows = null;
    }
  }

  /** The log grew: the newest chunk is to be read again. */
  grow(head: number): void {
    if (head <= this.head) return;
    const last = this.#chunks.at(-1);
    if (last && last.count !== null && this.head % CHUNK !== 0) last.isStale = true;
    this.head = head;
    while (this.#chunks.length * CHUNK < head) this.#chunks.push(unknown());
  }
}
