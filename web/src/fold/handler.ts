/** A handler or a sink as the server tells of it. Older servers leave fields out. */
import { NONE } from './wording';

export interface Handler {
  name: string;
  kind?: string;
  role?: 'handler' | 'sink';
  state: 'running' | 'paused' | 'broken';
  position?: number;
  head?: number;
  pending: number;
  in_flight?: number;
  done: number;
  dead: number;
  skipped: number;
  matched?: number;
  rate_per_second?: number | null;
  latency_ms?: { p50: number; p99: number } | null;
  success_rate?: number | null;
  retried?: number;
  attempt?: number;
  last_error?: string | { message?: string } | null;
  next_attempt?: string | null;
  breaker?: string | null;
  breaker_until?: string | null;
  workers?: { alive: number; busy: number; max: number } | null;
  types?: string[];
  returns?: string[];
  version?: string | null;
  capabilities?: string[];
  paused?: { by: string; reason?: string | null; at: string } | null;
}

export interface Failed {
  code?: string | null;
  message?: string | null;
}

export interface Pending {
  position: number;
  event_id: string;
  event_type: string;
  subject?: string | null;
  attempt: number;
  state: 'waiting' | 'running' | 'retrying';
  error?: Failed | null;
  next_attempt?: string | null;
  priority?: string | null;
}

export interface Delivered {
  position: number;
  event_id: string;
  event_type: string;
  subject?: string | null;
  attempt: number;
  outcome: 'done' | 'failed' | 'dead';
  started: string;
  duration_ms: number;
  returned: number;
  error?: Failed | null;
}

/** What became of what matched. */
export interface Owed {
  matched: number;
  done: number;
  pending: number;
  dead: number;
  skipped: number;
  /** How far the parts are from what the server counted as matched; null when it does not say. */
  off: number | null;
}

export function isSink(handler: Handler): boolean {
  return (handler.role ?? 'sink') === 'sink';
}

export function owed(handlers: readonly Handler[]): Owed {
  const sum: Owed = { matched: 0, done: 0, pending: 0, dead: 0, skipped: 0, off: handlers.length > 0 ? 0 : null };
  for (const one of handlers) {
    const parts = one.done + one.pending + one.dead + one.skipped;
    sum.done += one.done;
    sum.pending += one.pending;
    sum.dead += one.dead;
    sum.skipped += one.skipped;
    sum.matched += one.matched ?? parts;
    sum.off = sum.off === null || one.matched === undefined ? null : sum.off + Math.abs(one.matched - parts);
  }
  return sum;
}

/** Positions behind the log's head. */
export function lag(handler: Handler, head: number): number {
  const end = handler.head ?? head;
  return Math.max(0, end - (handler.position ?? end));
}

export function lastError(handler: Handler): string {
  return typeof handler.last_error === 'string' ? handler.last_error : (handler.last_error?.message ?? '');
}

/** `http_503: the server is busy`, or the one of them that is told. */
export function failure(error: Failed | null | undefined): string {
  const [code, message] = [error?.code ?? '', error?.message ?? ''];
  return code && message && !message.startsWith(code) ? `${code}: ${message}` : message || code;
}

/** `0.8 ms`, `22 ms`, `18.4 s`: a latency keeps a digit where it is short. */
export function latency(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return NONE;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** `42`, `2.1`, `0`; less than a tenth is not nothing. */
export function rate(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  if (value > 0 && value < 0.1) return '< 0.1';
  return value === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

/** Rates that are kept of each handler, one a reading. */
const KEPT = 60;

/** What each rate was, from what the page itself has seen. */
export function remember(known: ReadonlyMap<string, readonly (number | null)[]>, handlers: readonly Handler[]): Map<string, (number | null)[]> {
  return new Map(handlers.map((one) => [one.name, [...(known.get(one.name) ?? []), one.rate_per_second ?? null].slice(-KEPT)]));
}
