/** What the server counts; null as long as it does not. */
import type { Metrics } from '../fold/tiles';
import { get } from './api';

class ServerMetrics {
  latest = $state.raw<Metrics | null>(null);

  async refresh(): Promise<void> {
    try {
      this.latest = await get<Metrics>('/api/metrics?window=1h&trend=7d');
    } catch {
      this.latest = null;
    }
  }
}

export const metrics = new ServerMetrics();
