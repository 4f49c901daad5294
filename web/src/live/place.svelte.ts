/** Where the reader is. The URL is the state: what is not in it is not kept. */

export const PAGES = ['live', 'sessions', 'session', 'events', 'trace', 'rewind', 'debugger', 'orchestrations', 'profile', 'cost', 'alerts', 'handlers', 'dead-letters'] as const;

/** Pages that have another name now. */
const MOVED: Record<string, string> = { '/delivery': '/handlers' };

export type PageName = (typeof PAGES)[number];

/** Changes of the address in a second; what comes beyond is written so many milliseconds later. */
const MOST_A_SECOND = 15;
const LATE_MS = 120;

class Place {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));
  #replaced: number[] = [];
  #late: ReturnType<typeof setTimeout> | undefined;
  /** An address that is not written yet. */
  #owed = '';

  constructor() {
    const moved = MOVED[this.path];
    if (moved) {
      history.replaceState(null, '', moved + location.search);
      this.path = moved;
    }
    addEventListener('popstate', () => this.#read());
    document.addEventListener('click', (event) => this.#follow(event));
  }

  get page(): PageName {
    const first = this.path.split('/')[1] ?? '';
    return PAGES.find((page) => page === first) ?? 'live';
  }

  /** What stands behind the page: `/session/abc` → `abc`. */
  get rest(): string {
    return decodeURIComponent(this.path.split('/').slice(2).join('/'));
  }

  get(name: string): string {
    return this.query.get(name) ?? '';
  }

  /** Opening adds an entry to the history. */
  open(href: string): void {
    this.#settle();
    if (href === this.path + location.search) return;
    history.pushState(null, '', href);
    this.#read();
    document.querySelector('#main')?.scrollTo(0, 0);
  }

  /** Typing and dragging replace the entry. */
  set(changes: Record<string, string | null>, add = false): void {
    const query = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === '') query.delete(name);
      else query.set(name, value);
    }
    const search = query.toString();
    const href = this.path + (search ? `?${search}` : '');
    if (!add) this.#replace(href);
    else {
      this.#settle();
      history.pushState(null, '', href);
    }
    this.query = query;
  }

  /** While something is dragged, the address follows a little later: browsers refuse more than some 200 changes in ten seconds. */
  #replace(href: string): void {
    clearTimeout(this.#late);
    this.#owed = href;
    const now = performance.now();
    this.#replaced = this.#replaced.filter((at) => now - at < 1_000);
    if (this.#replaced.length < MOST_A_SECOND) this.#settle();
    else this.#late = setTimeout(() => this.#settle(), LATE_MS);
  }

  #settle(): void {
    clearTimeout(this.#late);
    if (!this.#owed) return;
    history.replaceState(null, '', this.#owed);
    this.#replaced.push(performance.now());
    this.#owed = '';
  }

  #read(): void {
    clearTimeout(this.#late);
    this.#owed = '';
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }

  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const href = link?.getAttribute('href') ?? '';
    if (!link || link.target || !href.startsWith('/') || href.startsWith('/api/') || link.hasAttribute('download')) return;
    event.preventDefault();
    this.open(href);
  }
}

export const place = new Place();
