/** A letter: a delivery that was given up, with its event and why. */
import type { LogEvent } from './event';
import type { Failed } from './handler';
import { same } from './patch';
import { brief, treeOf } from './tree';

export interface Letter {
  id: string;
  handler: string;
  attempts: number;
  error: Failed;
  /** Null when it cannot be read any more. */
  event: LogEvent | null;
  failedAt: string;
  retry_of?: string | null;
}

export interface Cause {
  handler: string;
  code: string | null;
  count: number;
  first: string;
  last: string;
  message?: string | null;
}

export function isOf(letter: Letter, handler: string, code: string): boolean {
  return (!handler || letter.handler === handler) && (!code || letter.error.code === code);
}

export interface Edited {
  /** What is no JSON, in words; empty when it is. */
  trouble: string;
  value: unknown;
  isChanged: boolean;
  /** Empty also when only the order of a list was changed. */
  changes: Change[];
}

export interface Change {
  path: string;
  mark: string;
  before: string;
  after: string;
}

/** Reads an edited payload, and tells in what it differs. */
export function edited(before: unknown, text: string): Edited {
  try {
    const value: unknown = JSON.parse(text);
    // Wrapped, so that a payload that is no object is compared too.
    const rows = treeOf({ data: before }, { data: value }, { opened: new Map(), onlyChanges: true });
    const leaves = rows.filter((row) => !row.isOpen);
    return { trouble: '', value, isChanged: !same(before, value), changes: leaves.map((row) => ({ path: row.path.replace(/^\/data\/?/, '') || 'payload', mark: row.mark, before: row.before || brief(row.left), after: row.after || brief(row.right) })) };
  } catch (error) {
    return { trouble: where(text, error instanceof Error ? error.message : String(error)), value: undefined, isChanged: false, changes: [] };
  }
}

/** Browsers name an offset; a person looks for a line. */
function where(text: string, message: string): string {
  const offset = /position (\d+)/.exec(message)?.[1];
  if (offset === undefined || /line \d+/.test(message)) return message;
  const above = text.slice(0, Number(offset)).split('\n');
  return `${message} (line ${above.length} column ${(above.at(-1)?.length ?? 0) + 1})`;
}

/** Whether it holds a whole number that a browser rounds: then an edit would change what nobody edited. */
export function isRounded(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  return value !== null && typeof value === 'object' && Object.values(value).some(isRounded);
}
