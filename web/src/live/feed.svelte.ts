/** The page's one connection to the log: what it has seen, folded, and how it is doing. */
import { fields, type LogEvent, timeOf } from '../fold/event';
import { type Fleet, fold, forget, newFleet } from '../fold/fleet';
import { type Row, rowOf } from '../fold/row';
import { told } from '../list/families';
import { access } from './access.svelte';
import { get, list, type Readiness, stream } from './api';
import { follow, type Message } from './stream';

/** Rows that the feed keeps; older ones are on the Events page. */
const MAX_ROWS = 5_000;
/** Events that the page reads at its start, at most; what is older than the hour is not needed. */
const MAX_HISTORY = 10_000;
const HISTORY_MS = 3_600_000;
/** What arrives is gathered, so that nothing changes more often than four times a second. */
const GATHER_MS = 250;
/** What ended longer ago is let go: the page needs an hour and what is usual. In milliseconds. */
const KEPT_MS = 6 * 3_600_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 10_000];

/** The server says something at least every quarter of a minute; after so long without a word it is gone, in milliseconds. */
const SILENCE_MS = 60_000;

export type Connection = 'opening' | 'open' | 'lost';

export interface Gap {
  from: number;
  to: number;
}

class Feed {
  connection = $state<Connection>('opening');
  /** When the connection was lost and when it is tried again, milliseconds since 1970. */
  lostAt = $state(0);
  retryAt = $state(0);
  /** Highest position seen. */
  head = $state(0);
  /** Grows with each change of what is folded; read it to be told. */
  version = $state(0);
  perSecond = $state(0);
  gaps = $state<Gap[]>([]);
  isLoaded = $state(false);
  trouble = $state('');

  fleet: Fleet = newFleet();
  /** Newest first. */
  rows: Row[] = [];

  #log = '';
  #aborter: AbortController | null = null;
  #waiting: LogEvent[] = [];
  #gathering = false;
  #tries = 0;
  #heardAt = 0;
  #arrivals: number[] = [];

  async open(): Promise<void> {
    try {
      const ready = await get<Readiness>('/readyz');
      this.#log = ready.log;
      await this.#load(ready.head);
      void this.#connect();
    } catch (error) {
      this.trouble = error instanceof Error ? error.message : String(error);
      this.#lose();
    }
  }

  async #load(head: number): Promise<void> {
    const oldest = Date.now() - HISTORY_MS;
    const query = new URLSearchParams({ reverse: 'true' });
    const events = await list(query, MAX_HISTORY, (page) => {
      const last = page.events.at(-1);
      return last !== undefined && timeOf(last) < oldest;
    });
    await this.#complete(events);
    this.fleet = newFleet();
    for (const event of events.toReversed()) fold(this.fleet, event);
    this.fleet.position = Math.max(this.fleet.position, head);
    this.rows = told(events.map(rowOf)).slice(0, MAX_ROWS);
    this.head = Math.max(head, events[0]?.position ?? 0);
    this.isLoaded = true;
    this.trouble = '';
    this.version += 1;
  }

  /** A session at work whose beginning is older than what was read would have no prompt: reads its last one. */
  async #complete(events: LogEvent[]): Promise<void> {
    const begun = new Set<string>();
    const open = new Map<string, number>();
    for (const event of events) {
      const subject = event.subject ?? '';
      if (!/^(claude|codex)\./.test(event.type)) continue;
      if (/\.(user_prompt_submit|session_start)$/.test(event.type)) begun.add(subject);
      else if (!open.has(subject)) open.set(subject, event.position);
    }
    const missing = [...open.keys()].filter((subject) => !begun.has(subject)).slice(0, 20);
    for (const subject of missing) {
      const query = new URLSearchParams({ stream: subject, type: '*.user_prompt_submit', reverse: 'true', wait: '0' });
      events.push(...(await list(query, 1)));
    }
    events.sort((left, right) => right.position - left.position);
  }

  async #connect(): Promise<void> {
    this.#aborter?.abort();
    const aborter = new AbortController();
    this.#aborter = aborter;
    const query = new URLSearchParams({ from: String(this.head), log: this.#log });
    try {
      const answer = await stream(`/api/events/stream?${query}`, aborter.signal);
      this.connection = 'open';
      this.#tries = 0;
      this.#heardAt = Date.now();
      await follow(answer, (message) => this.#hear(message));
    } catch {
      // Why it ended is the same to a reader: it is told how long ago, and tried again.
    }
    if (this.#aborter === aborter) this.#lose();
  }

  #hear(message: Message): void {
    this.#heardAt = Date.now();
    if (message.event === 'event') this.#take(JSON.parse(message.data) as LogEvent);
    if (message.event === 'gap') {
      const gap = fields(JSON.parse(message.data));
      this.gaps.push({ from: Number(gap['from']), to: Number(gap['to']) });
    }
    // Another log, or one that was cut back: nothing that is shown is of it.
    if (message.event === 'reset') this.#begin();
  }

  #begin(): void {
    this.#aborter?.abort();
    this.#aborter = null;
    this.gaps = [];
    this.rows = [];
    this.fleet = newFleet();
    this.head = 0;
    void this.open();
  }

  #lose(): void {
    this.#aborter?.abort();
    this.#aborter = null;
    if (this.connection !== 'lost') this.lostAt = Date.now();
    this.connection = 'lost';
    // Only a person can give a token; then it is opened anew.
    if (access.isNeeded) return;
    const wait = RETRY_MS[Math.min(this.#tries, RETRY_MS.length - 1)] ?? 1_000;
    this.#tries += 1;
    this.retryAt = Date.now() + wait;
    setTimeout(() => void (this.isLoaded ? this.#connect() : this.open()), wait);
  }

  #take(event: LogEvent): void {
    this.#waiting.push(event);
    if (this.#gathering) return;
    this.#gathering = true;
    setTimeout(() => this.#settle(), GATHER_MS);
  }

  #settle(): void {
    this.#gathering = false;
    const arrived = this.#waiting.filter((event) => event.position > this.fleet.position);
    this.#waiting = [];
    for (const event of arrived) fold(this.fleet, event);
    this.rows = told([...arrived.map(rowOf).toReversed(), ...this.rows]).slice(0, MAX_ROWS);
    this.head = Math.max(this.head, this.fleet.position);
    const now = Date.now();
    this.#arrivals.push(...arrived.map(() => now));
    this.version += 1;
  }

  /** Called once a second: the rate is over the last ten. */
  tick(now: number): void {
    // A machine that slept, or a cable that was pulled, ends no connection.
    if (this.connection === 'open' && now - this.#heardAt > SILENCE_MS) this.#lose();
    this.#arrivals = this.#arrivals.filter((at) => at > now - 10_000);
    this.perSecond = this.#arrivals.length / 10;
    if (now % 60_000 < 1_000) forget(this.fleet, now - KEPT_MS);
  }
}

export const feed = new Feed();

/** The page's one clock: ages run once a second, and stand still while the connection is lost. */
class Clock {
  now = $state(Date.now());

  start(): void {
    setInterval(() => {
      feed.tick(Date.now());
      if (feed.connection !== 'lost') this.now = Date.now();
      else this.#beat += 1;
    }, 1_000);
  }

  #beat = $state(0);

  /** Runs on while the connection is lost, to say for how long. */
  get always(): number {
    void this.#beat;
    void this.now;
    return Date.now();
  }
}

export const time = new Clock();
