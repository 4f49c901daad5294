/** What the side bar counts beside who waits: alerts that fire, letters that are dead. */
import { get } from './api';

/** Asked so often, in milliseconds; a server that does not have the door is asked seldom. */
const EVERY = 15_000;
const SELDOM = 300_000;

class Counts {
  firing = $state(0);
  dead = $state(0);
  #next = 0;

  async refresh(now: number): Promise<void> {
    if (now < this.#next) return;
    this.#next = now + EVERY;
    try {
      const { rules } = await get<{ rules: { state: string }[] }>('/api/alerts');
      this.firing = rules.filter((rule) => rule.state === 'firing').length;
      this.dead = (await get<{ total: number }>('/api/dead-letters/causes')).total;
    } catch {
      this.#next = now + SELDOM;
    }
  }
}

export const counts = new Counts();
