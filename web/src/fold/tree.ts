/** Two states side by side, as the rows of a tree. */
import { isObject, pointer, same } from './patch';
import { duration, timeOfDay, whole } from './wording';

export type Mark = '' | '~' | '+' | '−';

export interface TreeRow {
  /** RFC 6901 in the later state, else in the earlier one; names the row. */
  path: string;
  depth: number;
  name: string;
  mark: Mark;
  isBranch: boolean;
  isOpen: boolean;
  /** As it is shown; empty where there is nothing. */
  before: string;
  after: string;
  /** The whole values, for a title and for copying. */
  left: unknown;
  right: unknown;
}

export interface Tally {
  changed: number;
  added: number;
  removed: number;
}

interface Pair {
  name: string;
  key: string | number;
  left: unknown;
  right: unknown;
}

/** Longer values are cut; the title has them whole. */
const LONGEST = 120;
/** Rows of a tree, at most: more is not read, it is searched. */
export const MOST_ROWS = 2_000;
/** Deeper levels are shown as JSON. */
const DEEPEST = 8;

/** Fields by which an element of a list is known, the better first. */
const KNOWN_BY = ['id', 'gap_id', 'sha', 'commit_sha', 'pr_number', 'agent_name', 'agent_id', 'checkpoint_id', 'check_type', 'test_suite', 'error_type', 'phase', 'name', 'key', 'path', 'document_path'];
/** What is said of an element whose name is known already, the better first. */
const SAYS = ['description', 'message', 'pr_title', 'title', 'error_message', 'failure_reason', 'blocked_by', 'summary', 'status', 'state', 'outcome'];

export interface Choice {
  /** What the reader opened or shut, by path; what is not named is open where something changed. */
  opened: ReadonlyMap<string, boolean>;
  onlyChanges: boolean;
}

export function treeOf(left: unknown, right: unknown, choice: Choice): TreeRow[] {
  const rows: TreeRow[] = [];
  grow(rows, pairsOf(left, right), [], choice);
  return rows;
}

function grow(rows: TreeRow[], pairs: readonly Pair[], above: readonly (string | number)[], choice: Choice): void {
  for (const pair of pairs) {
    if (rows.length >= MOST_ROWS) return;
    const mark = markOf(pair.left, pair.right);
    if (choice.onlyChanges && mark === '') continue;
    const names = [...above, pair.key];
    const path = pointer(names);
    const isBranch = (isFilled(pair.left) || isFilled(pair.right)) && names.length < DEEPEST;
    // What appeared or went away is one row until it is opened.
    const isOpen = isBranch && (choice.opened.get(path) ?? (mark === '~' || (mark !== '' && names.length === 1)));
    rows.push({ path, depth: above.length, name: pair.name, mark, isBranch, isOpen, before: brief(pair.left), after: brief(pair.right), left: pair.left, right: pair.right });
    if (isOpen) grow(rows, pairsOf(pair.left, pair.right), names, choice);
  }
}

function markOf(left: unknown, right: unknown): Mark {
  if (left === undefined) return right === undefined ? '' : '+';
  if (right === undefined) return '−';
  return same(left, right) ? '' : '~';
}

function isFilled(value: unknown): boolean {
  return (Array.isArray(value) && value.length > 0) || (isObject(value) && Object.keys(value).length > 0);
}

function pairsOf(left: unknown, right: unknown): Pair[] {
  if (Array.isArray(left) || Array.isArray(right)) return elements(Array.isArray(left) ? left : [], Array.isArray(right) ? right : []);
  const [one, other] = [isObject(left) ? left : {}, isObject(right) ? right : {}];
  const names = [...new Set([...Object.keys(other), ...Object.keys(one)])];
  return names.map((name) => ({ name, key: name, left: one[name], right: other[name] }));
}

/** Elements are matched by what they are, not by where they stand: one that went away moves all behind it. */
function elements(left: readonly unknown[], right: readonly unknown[]): Pair[] {
  const waiting = new Map<string, number[]>();
  left.forEach((value, index) => {
    const name = identity(value);
    waiting.set(name, [...(waiting.get(name) ?? []), index]);
  });
  const pairs: Pair[] = right.map((value, index) => {
    const name = identity(value);
    const match = waiting.get(name)?.shift();
    return { name: nameOf(value, index), key: index, left: match === undefined ? undefined : left[match], right: value };
  });
  const gone = [...waiting.values()].flat().sort((one, other) => one - other);
  for (const index of gone) pairs.push({ name: nameOf(left[index], index), key: `${index}−`, left: left[index], right: undefined });
  return pairs;
}

function known(value: unknown): [string, string] | null {
  if (!isObject(value)) return null;
  const field = KNOWN_BY.find((name) => typeof value[name] === 'string' || typeof value[name] === 'number');
  return field ? [field, String(value[field])] : null;
}

function identity(value: unknown): string {
  const found = known(value);
  return found ? found.join(' ') : (JSON.stringify(value) ?? '');
}

function nameOf(value: unknown, index: number): string {
  const found = known(value);
  if (found) return found[0] === 'pr_number' ? `#${found[1]}` : /sha$/.test(found[0]) ? found[1].slice(0, 9) : found[1].slice(0, 60);
  return typeof value === 'string' ? value.slice(0, 60) : String(index);
}

/** A value in a cell: a list by its length, a record by what it says. */
export function brief(value: unknown): string {
  if (value === undefined) return '';
  if (value === null) return '–';
  if (Array.isArray(value)) return whole(value.length);
  if (isObject(value)) return said(value);
  if (typeof value === 'number') return String(value);
  const plain = String(value);
  const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(plain) ? Date.parse(plain) : Number.NaN;
  if (!Number.isNaN(instant)) return timeOfDay(instant);
  return cut(plain);
}

function said(value: Record<string, unknown>): string {
  const field = SAYS.find((name) => typeof value[name] === 'string' && value[name] !== '');
  if (field) return cut(String(value[field]));
  const seconds = value['duration_seconds'];
  if (typeof seconds === 'number') return duration(seconds * 1_000);
  const since = value['since'] ?? value['timestamp'];
  if (typeof since === 'string') return brief(since);
  const size = Object.keys(value).length;
  return size === 0 ? '–' : `${size} ${size === 1 ? 'field' : 'fields'}`;
}

function cut(plain: string): string {
  const line = plain.split('\n')[0] ?? '';
  return line.length > LONGEST || line.length < plain.length ? `${line.slice(0, LONGEST)}…` : line;
}

/** How many leaves differ: a record that appeared is one. */
export function tally(left: unknown, right: unknown): Tally {
  const sum: Tally = { changed: 0, added: 0, removed: 0 };
  const count = (pairs: readonly Pair[], depth: number): void => {
    for (const pair of pairs) {
      const mark = markOf(pair.left, pair.right);
      if (mark === '+') sum.added += 1;
      else if (mark === '−') sum.removed += 1;
      else if (mark === '~' && depth < DEEPEST && (isFilled(pair.left) || isFilled(pair.right))) count(pairsOf(pair.left, pair.right), depth + 1);
      else if (mark === '~') sum.changed += 1;
    }
  };
  count(pairsOf(left, right), 1);
  return sum;
}
