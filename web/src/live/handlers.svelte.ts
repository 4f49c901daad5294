/** The handlers and sinks, read again every other second while a page shows them. */
import { type Handler, remember } from '../fold/handler';
import type { FlowMap } from '../fold/routes';
import { get, troubleOf } from './api';

/** In milliseconds; what flowed in an hour hardly changes from one second to the next. */
const EVERY = 2_000;
const MAP_EVERY = 10_000;

class Handlers {
  list = $state.raw<Handler[] | null>(null);
  map = $state.raw<FlowMap | null>(null);
  rates = $state.raw<ReadonlyMap<string, readonly (number | null)[]>>(new Map());
  isAbsent = $state(false);
  trouble = $state('');
  #next = 0;
  #mapNext = 0;
  #busy = false;

  async refresh(now: number): Promise<void> {
    if (this.#busy || now < this.#next) return;
    [this.#busy, this.#next] = [true, now + EVERY];
    try {
      this.list = (await get<{ handlers: Handler[] }>('/api/handlers')).handlers;
      this.rates = remember(this.rates, this.list);
      [this.isAbsent, this.trouble] = [false, ''];
      if (now >= this.#mapNext) {
        this.#mapNext = now + MAP_EVERY;
        this.map = await get<FlowMap>('/api/handlers/map?window=1h').catch(() => this.map);
      }
    } catch (error) {
      ({ isAbsent: this.isAbsent, trouble: this.trouble } = troubleOf(error));
    } finally {
      this.#busy = false;
    }
  }

  /** What a deed answered is true at once. */
  take(handler: Handler): void {
    this.list = (this.list ?? []).map((one) => (one.name === handler.name ? handler : one));
  }
}

export const handlers = new Handlers();

export function handlerPath(name: string, door = ''): string {
  return `/api/handlers/${encodeURIComponent(name)}${door}`;
}
