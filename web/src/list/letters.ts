/** Dead letters by the page: however many there are, only what is looked at is loaded. */
import type { Letter } from '../fold/letter';

/** Letters in a page. */
export const PAGE = 100;
/** Pages whose letters are kept; of others only their place is. */
const KEPT = 20;

export interface LetterPage {
  dead_letters: Letter[];
  next: string | null;
  total?: number;
}

export type Fetch = (query: URLSearchParams) => Promise<LetterPage>;

interface Page {
  cursor: string | null;
  count: number;
  letters: Letter[] | null;
}

export class Letters {
  /** The last one is the next to be read, unless all were. */
  #pages: Page[] = [{ cursor: null, count: 0, letters: null }];
  #used: number[] = [];
  #isWhole = false;
  #total: number | null = null;

  constructor(
    readonly conditions: Record<string, string>,
    readonly fetch: Fetch,
  ) {}

  /** Rows that have a place: those that were read, and one more while there may be more. */
  get count(): number {
    return this.read + (this.#isWhole ? 0 : 1);
  }

  get read(): number {
    return this.#pages.reduce((sum, page) => sum + page.count, 0);
  }

  /** As the server counts; null when it does not, and not all were read. */
  get total(): number | null {
    return this.#isWhole ? this.read : this.#total;
  }

  get pages(): number {
    return this.#pages.filter((page) => page.count > 0).length;
  }

  letter(index: number): Letter | null {
    const found = this.#locate(index);
    return (found && this.#pages[found.page]?.letters?.[found.offset]) ?? null;
  }

  indexOf(id: string): number {
    let above = 0;
    for (const page of this.#pages) {
      const offset = page.letters?.findIndex((letter) => letter.id === id) ?? -1;
      if (offset >= 0) return above + offset;
      above += page.count;
    }
    return -1;
  }

  #locate(index: number): { page: number; offset: number } | null {
    let rest = index;
    for (const [page, { count }] of this.#pages.entries()) {
      if (rest < count) return { page, offset: rest };
      rest -= count;
    }
    return null;
  }

  /** The first page among these rows whose letters are not there. */
  missing(first: number, end: number): number | null {
    const last = this.#pages.length - 1;
    const [top, bottom] = [this.#locate(first)?.page ?? last, this.#locate(Math.max(first, end - 1))?.page ?? last];
    for (let page = top; page <= bottom; page += 1) if (this.#pages[page]?.letters === null) return page;
    return null;
  }

  async load(index: number): Promise<void> {
    const page = this.#pages[index];
    if (!page) return;
    const query = new URLSearchParams({ ...this.conditions, limit: String(PAGE) });
    if (page.cursor !== null) query.set('cursor', page.cursor);
    const answer = await this.fetch(query);
    page.letters = answer.dead_letters;
    page.count = answer.dead_letters.length;
    this.#total = answer.total ?? this.#total;
    if (index === this.#pages.length - 1) {
      // A cursor that does not move would never end.
      this.#isWhole = answer.next === null || answer.next === page.cursor;
      if (!this.#isWhole) this.#pages.push({ cursor: answer.next, count: 0, letters: null });
    }
    this.#keep(index);
  }

  #keep(index: number): void {
    this.#used = [...this.#used.filter((other) => other !== index), index];
    while (this.#used.length > KEPT) {
      const oldest = this.#pages[this.#used.shift() ?? 0];
      if (oldest) oldest.letters = null;
    }
  }

  /** The server said that it is dead no more. */
  drop(id: string): void {
    for (const page of this.#pages) {
      const offset = page.letters?.findIndex((letter) => letter.id === id) ?? -1;
      if (!page.letters || offset < 0) continue;
      page.letters = page.letters.toSpliced(offset, 1);
      page.count -= 1;
      if (this.#total !== null) this.#total -= 1;
    }
  }
}
