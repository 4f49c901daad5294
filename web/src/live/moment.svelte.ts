/** The moments of a stream that are looked at: B, and A to compare it with. They are in the URL as the numbers of
 * events, so that a link shows the same for ever. */
import { untrack } from 'svelte';
import { changes, type Entry, familyOf } from '../fold/reel';
import { feed, time } from './feed.svelte';
import { key, type Key } from './keys.svelte';
import { place } from './place.svelte';
import { Player } from './player.svelte';
import { Tape } from './tape.svelte';

/** A stream that goes on is asked about so often, in milliseconds. */
const EVERY = 3_000;

export class Moment {
  readonly tape: Tape;
  readonly player: Player;
  #asked = 0;
  #head = 0;

  constructor(readonly stream: string) {
    this.tape = new Tape(stream, place.get('projection'));
    this.player = new Player(
      () => this.b,
      () => this.tape.last,
      (sequence) => this.tape.entry(sequence),
      (sequence) => place.set({ b: String(sequence) }),
    );
    this.#head = feed.head;
    void this.tape.load();
  }

  #limited(asked: string): number {
    const value = Math.round(Number(asked)) || this.tape.last;
    return Math.min(this.tape.last, Math.max(this.tape.first, value));
  }

  get b(): number {
    return this.#limited(place.get('b'));
  }

  /** Null without a comparison. */
  get a(): number | null {
    return place.get('a') === '' ? null : this.#limited(place.get('a'));
  }

  /** What B is compared with: A, else the event before it. */
  get before(): number {
    return this.a ?? this.b - 1;
  }

  get entry(): Entry | undefined {
    return this.tape.entry(this.b);
  }

  move = (sequence: number): void => {
    this.player.stop();
    place.set({ b: String(this.#limited(String(Math.max(1, sequence)))) });
  };

  moveA = (sequence: number): void => {
    place.set({ a: String(this.#limited(String(Math.max(1, sequence)))) });
  };

  compare(): void {
    if (this.a !== null) place.set({ a: null });
    else this.moveA(Math.max(this.tape.first, this.b - 1));
  }

  swap(): void {
    const { a, b } = this;
    if (a !== null) place.set({ a: String(b), b: String(a) });
  }

  /** To the next event that changed the state, or that failed. */
  seek(step: 1 | -1, wanted: 'change' | 'failure'): void {
    const isWanted = (entry: Entry): boolean => (wanted === 'change' ? changes(entry) : familyOf(entry.type) === 'fail');
    const next = this.tape.next(this.b, step, isWanted);
    if (next !== null) this.move(next);
    else if (wanted === 'change') this.move(this.b + step);
  }

  /** To be called in a component: what is looked at is read, and a stream that goes on is followed. */
  follow(): void {
    $effect(() => {
      const wanted = [this.b, this.before];
      if (this.tape.overview) untrack(() => void Promise.all(wanted.map((sequence) => this.tape.want(sequence))));
    });
    $effect(() => {
      const { now } = time;
      untrack(() => {
        if (now - this.#asked < EVERY || feed.head === this.#head) return;
        [this.#asked, this.#head] = [now, feed.head];
        void this.tape.isBehind().then((isBehind) => (isBehind ? this.tape.load() : undefined));
      });
    });
    $effect(() => () => this.player.stop());
  }

  get keys(): Key[] {
    return [
      key('h l', 'event', (pressed) => this.move(this.b + (pressed === 'l' ? 1 : -1))),
      key('n N', 'next failure', (pressed) => this.seek(pressed === 'n' ? 1 : -1, 'failure')),
      key('space', 'play', () => this.player.toggle()),
      key('a', 'set A here', () => this.moveA(this.b)),
      key('b', 'swap A and B', () => this.swap(), true),
      key('Home End', 'first, last', (pressed) => this.move(pressed === 'Home' ? this.tape.first : this.tape.last), true),
      key('s', 'another stream', () => place.open(`/${place.page}`), true),
    ];
  }
}
