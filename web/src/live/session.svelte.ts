/** One session, read whole from the log and followed from there. */
import type { Call } from '../fold/call';
import type { LogEvent } from '../fold/event';
import { type Fleet, fold, newFleet } from '../fold/fleet';
import { type Session, waiting } from '../fold/session';
import { list } from './api';

/** Events of a session that are read, at most. */
const MAX_EVENTS = 50_000;

export class SessionPage {
  version = $state(0);
  busy = $state(false);
  trouble = $state('');
  session = $state.raw<Session | undefined>(undefined);

  #fleet: Fleet = newFleet();
  #events = new Map<number, LogEvent>();
  #reading = false;
  #started = false;

  constructor(readonly id: string) {}

  /** Reads on when the log is further than what is shown. */
  async follow(position: number): Promise<void> {
    if (this.#reading || (this.#started && position <= this.#fleet.position)) return;
    this.#reading = true;
    this.busy = !this.#started;
    try {
      const query = new URLSearchParams({ stream: `session/${this.id}`, after: String(this.#fleet.position) });
      const events = await list(query, MAX_EVENTS);
      for (const event of events) {
        this.#events.set(event.position, event);
        fold(this.#fleet, event);
      }
      this.session = this.#fleet.sessions.get(this.id);
      this.trouble = this.session ? '' : `The log holds nothing of session ${this.id}.`;
      // What belongs to other types is not folded, but it was read.
      this.#fleet.position = Math.max(this.#fleet.position, position);
      this.version += 1;
    } catch (error) {
      if (!this.#started) this.trouble = error instanceof Error ? error.message : String(error);
    } finally {
      this.#started = true;
      this.#reading = false;
      this.busy = false;
    }
  }

  get calls(): Call[] {
    void this.version;
    return [...(this.session?.calls.values() ?? [])].sort((left, right) => left.startedAt - right.startedAt);
  }

  get waits(): boolean {
    void this.version;
    return this.session !== undefined && waiting(this.session).length > 0;
  }

  /** By its id, else by an event of it, else by its agent; else what waits or failed, else the first. */
  callOf(id: string, position: number, agent: string): Call | undefined {
    const calls = this.calls;
    const named = calls.find((call) => call.id === id);
    const told = position > 0 ? (calls.find((call) => call.positions.includes(position)) ?? calls.findLast((call) => (call.positions[0] ?? 0) <= position)) : undefined;
    const own = agent ? calls.find((call) => call.agentId === agent) : undefined;
    return named ?? told ?? own ?? calls.find((call) => call.state === 'asking') ?? calls.find((call) => call.state === 'failed') ?? calls[0];
  }

  eventsOf(call: Call | undefined): LogEvent[] {
    void this.version;
    return (call?.positions ?? []).map((position) => this.#events.get(position)).filter((event) => event !== undefined);
  }

  /** How long calls of a tool took here, in milliseconds. */
  lengths(tool: string): number[] {
    return this.calls.filter((call) => call.tool === tool && call.state === 'done').map((call) => call.durationMs ?? (call.endedAt ?? 0) - call.startedAt);
  }
}
