/** Plays a stream's events one after the other, as fast as they came or faster. */
import type { Entry } from '../fold/reel';

export type Speed = 'event' | '1' | '10' | '100';
export const SPEEDS: readonly Speed[] = ['1', '10', '100', 'event'];

/** A pause of the past is played no longer than this, and each event is seen for a frame at least, in milliseconds. */
const LONGEST = 3_000;
const SHORTEST = 40;
const EACH = 650;

export class Player {
  isPlaying = $state(false);
  speed = $state<Speed>('10');
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly now: () => number,
    readonly last: () => number,
    readonly entry: (sequence: number) => Entry | undefined,
    readonly go: (sequence: number) => void,
  ) {}

  toggle(): void {
    if (this.isPlaying) return this.stop();
    this.isPlaying = true;
    this.#wait();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.isPlaying = false;
  }

  #wait(): void {
    let next = this.now() + 1;
    let delay = this.#between(next);
    // Events that came within one frame are one step.
    while (delay < SHORTEST && next < this.last()) {
      next += 1;
      delay += this.#between(next);
    }
    if (next > this.last()) return this.stop();
    this.#timer = setTimeout(() => {
      this.go(next);
      this.#wait();
    }, Math.min(LONGEST, Math.max(SHORTEST, delay)));
  }

  #between(sequence: number): number {
    const [before, event] = [this.entry(sequence - 1), this.entry(sequence)];
    if (this.speed === 'event' || !before || !event) return EACH;
    return Math.max(0, Date.parse(event.at) - Date.parse(before.at)) / Number(this.speed);
  }
}
