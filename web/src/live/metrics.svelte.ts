/** What the server counts; null as long as it does not. */
import type { Metrics } from '../fold/tiles';
import { get } from './api';

/** A server that does not count is asked seldom, in milliseconds. */
const SELDOM = 300_000;
/** So are the days, each of which is read whole: those that are over hardly change. */
const DAYS_EVERY = 600_000;

class ServerMetrics {
  latest = $state.raw<Metrics | null>(null);
  #next = 0;
  #daysAt = 0;
  #days: Metrics['trend'] = [];

  async refresh(): Promise<void> {
    if (Date.now() < this.#next) return;
    try {
      this.#show(await get<Metrics>('/api/metrics?window=1h'));
      if (Date.now() < this.#daysAt) return;
      this.#daysAt = Date.now() + DAYS_EVERY;
      const withDays = await get<Metrics>('/api/metrics?window=1h&trend=7d');
      this.#days = withDays.trend ?? [];
      this.#show(withDays);
    } catch {
      this.latest = null;
      this.#next = Date.now() + SELDOM;
      this.#daysAt = 0;
    }
  }

  #show(hour: Metrics): void {
    this.latest = { ...hour, trend: this.#days ?? [] };
  }
}

export const metrics = new ServerMetrics();
