/** An event as the server sends it: CloudEvents 1.0, structured. Only what the dashboard reads is named. */
export interface LogEvent {
  id: string;
  source: string;
  type: string;
  subject?: string;
  time?: string;
  recordedtime?: string;
  position: number;
  sequence?: string;
  sessionid?: string;
  actortype?: string;
  actorid?: string;
  actormodel?: string;
  branch?: string;
  gitsha?: string;
  traceparent?: string;
  causationid?: string;
  severity?: string;
  data?: unknown;
}

export type Fields = Record<string, unknown>;

/** The payload as an object; empty when it is none. */
export function fields(value: unknown): Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : {};
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Telemetry writes numbers as numbers or as strings; null is what is neither. */
export function number(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'string' || value.trim() === '') return null;
  const parsed = Number(value);
  return Number.isFinite(parsed) ? parsed : null;
}

/** When it happened, else when it was recorded; milliseconds since 1970. */
export function timeOf(event: LogEvent): number {
  const parsed = Date.parse(event.time ?? event.recordedtime ?? '');
  return Number.isNaN(parsed) ? 0 : parsed;
}

/** The session that an event belongs to; empty when it belongs to none. */
export function sessionOf(event: LogEvent): string {
  if (event.sessionid) return event.sessionid;
  const subject = event.subject ?? '';
  return subject.startsWith('session/') ? subject.slice('session/'.length) : '';
}

/** `a/b/c` → `c`. */
export function lastPart(path: string): string {
  return path.replace(/\/+$/, '').split('/').pop() ?? path;
}

/** A home folder is written as `~`. */
export function shortPath(path: string): string {
  return path.replace(/^\/(?:home|Users)\/[^/]+/, '~');
}

/** `claude-sonnet-4-5-20250929` → `sonnet-4-5`. */
export function shortModel(model: string): string {
  return model.replace(/^claude-/, '').replace(/-\d{8}$/, '');
}

/** A stream as the end of a URL's path: `issue/a b` → `issue/a%20b`. */
export function streamPath(stream: string): string {
  const at = stream.indexOf('/');
  return `${encodeURIComponent(stream.slice(0, at))}/${encodeURIComponent(stream.slice(at + 1))}`;
}
