/** The one retry or discard of many letters that runs; it goes on while other pages are looked at. */
import { whole } from '../fold/wording';
import { type Progress, sweep, type Swept } from '../list/sweep';
import { control } from './control.svelte';
import { copied } from './copy.svelte';

export type Deed = 'retry' | 'discard';
const DONE = { retry: 'retried', discard: 'discarded' };

class Sweeps {
  running = $state.raw<{ deed: Deed; handler: string; code: string } | null>(null);
  progress = $state.raw<Progress>({ done: 0, left: 0 });
  /** Grows with each part that is done. */
  version = $state(0);
  #isStopped = false;

  async run(deed: Deed, handler: string, code: string, reason: string, count: number): Promise<void> {
    if (this.running) return;
    [this.running, this.progress, this.#isStopped] = [{ deed, handler, code }, { done: 0, left: count }, false];
    const asked = { ...(handler && { handler }), ...(code && { code }), ...(reason && { reason }) };
    const tell = (progress: Progress): void => {
      this.progress = progress;
      this.version += 1;
    };
    const end = await sweep(count, () => control.send<Swept>(`/api/dead-letters/${deed}`, asked), tell, () => !this.#isStopped);
    this.running = null;
    this.version += 1;
    if (!end.isRefused || end.done > 0) copied.say(`${whole(end.done)} ${DONE[deed]}${end.left > 0 ? `, ${whole(end.left)} left` : ''}`);
  }

  stop(): void {
    this.#isStopped = true;
  }
}

export const sweeps = new Sweeps();
