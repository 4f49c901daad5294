/** What the server counts; null as long as it does not. */
import type { Metrics } from '../fold/tiles';
import { get } from './api';

/** A server that does not count is asked seldom, in milliseconds. */
const SELDOM = 300_000;

class ServerMetrics {
  latest = $state.raw<Metrics | null>(null);
  #next = 0;

  async refresh(): Promise<void> {
    if (Date.now() < this.#next) return;
    try {
      this.latest = await get<Metrics>('/api/metrics?window=1h&trend=7d');
    } catch {
      this.latest = null;
      this.#next = Date.now() + SELDOM;
    }
  }
}

export const metrics = new ServerMetrics();
