import { type LogEvent, streamPath } from '../fold/event';
import { access } from './access.svelte';

/** What the server said when it could not do what was asked. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }

  /** An older server does not have this door: there is no data, and nothing is wrong. */
  get isAbsent(): boolean {
    return this.status === 404 || this.status === 405;
  }

  /** What is read may be read; only deeds need the control token. */
  get isControl(): boolean {
    return this.status === 401 && this.code === 'control_token';
  }
}

async function refusal(answer: Response): Promise<Refusal> {
  const problem = (await answer.json().catch(() => ({}))) as { code?: string; detail?: string; title?: string };
  const refused = new Refusal(answer.status, problem.code ?? String(answer.status), problem.detail ?? problem.title ?? answer.statusText);
  if (answer.status === 401 && !refused.isControl) access.refused();
  return refused;
}

export async function get<T>(path: string): Promise<T> {
  const answer = await fetch(path, { headers: { accept: 'application/json', ...access.headers } });
  if (!answer.ok) throw await refusal(answer);
  return (await answer.json()) as T;
}

async function send(path: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json', accept: 'application/json', ...access.headers };
  const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

export async function post(path: string, body: unknown): Promise<void> {
  await send(path, body);
}

/** A question too long for a URL, or a deed that answers. */
export async function ask<T>(path: string, body: unknown): Promise<T> {
  return (await (await send(path, body)).json()) as T;
}

/** `issue/PROJ-1` → `/api/state/issue/PROJ-1`. */
export function pathOf(door: string, stream: string): string {
  return `/api/${door}/${streamPath(stream)}`;
}

/** Its text, and whether this server is only too old to know. */
export function troubleOf(error: unknown): { isAbsent: boolean; trouble: string } {
  // What does not exist is told with a code of its own; a door that does not exist has none that is known.
  const isAbsent = error instanceof Refusal && error.isAbsent && !/_not_found$|_unknown$/.test(error.code);
  return { isAbsent, trouble: error instanceof Error ? error.message : String(error) };
}

/** An answer that goes on. */
export async function stream(path: string, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(path, { headers: { accept: 'text/event-stream', ...access.headers }, signal, cache: 'no-store' });
  if (!answer.ok) throw await refusal(answer);
  return answer;
}

export interface EventPage {
  events: LogEvent[];
  next: string | null;
  position: number;
  scanned_to: number;
}

export interface Readiness {
  status: string;
  log: string;
  head: number;
  position: number;
}

/** Follows the cursor of a list; stops when `enough` says so, or after `limit` events. */
export async function list(
  query: URLSearchParams,
  limit: number,
  enough: (page: EventPage) => boolean = () => false,
): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  let cursor: string | null = null;
  do {
    const asked = new URLSearchParams(query);
    asked.set('limit', String(Math.min(1_000, limit - events.length)));
    if (cursor) asked.set('cursor', cursor);
    const page: EventPage = await get(`/api/events?${asked}`);
    events.push(...page.events);
    cursor = page.next;
    if (enough(page)) break;
  } while (cursor && events.length < limit);
  return events;
}
