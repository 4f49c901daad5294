/** What the Cost page says, from `GET /api/cost` grouped in different ways. */
import { day, plural } from './wording';

export interface CostRow {
  cost_usd: number | null;
  input_tokens?: number;
  output_tokens?: number;
  cache_read_tokens?: number;
  cache_creation_tokens?: number;
  requests?: number;
  unpriced_requests?: number;
  /** The group's own name stands under the name of the grouping. */
  [group: string]: unknown;
}

export interface CostAnswer {
  by: string;
  cost_usd: number | null;
  unpriced_requests?: number;
  rows: CostRow[];
}

export const GROUPINGS = ['model', 'agent', 'feature', 'session'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface Share {
  name: string;
  costUsd: number | null;
  share: number;
  tokens: number;
  /** Of the input, what came from the cache; null without input. */
  fromCache: number | null;
  requests: number;
  unpriced: number;
}

export function tokensOf(row: CostRow): number {
  return (row.input_tokens ?? 0) + (row.output_tokens ?? 0) + (row.cache_read_tokens ?? 0) + (row.cache_creation_tokens ?? 0);
}

export function cacheShare(rows: readonly CostRow[]): number | null {
  const read = rows.reduce((sum, row) => sum + (row.cache_read_tokens ?? 0), 0);
  const input = rows.reduce((sum, row) => sum + (row.input_tokens ?? 0) + (row.cache_read_tokens ?? 0) + (row.cache_creation_tokens ?? 0), 0);
  return input === 0 ? null : read / input;
}

/** The dearest first; what has no price stands last, never as free. */
export function shares(answer: CostAnswer): Share[] {
  const all = answer.rows.reduce((sum, row) => sum + (row.cost_usd ?? 0), 0);
  return answer.rows
    .map((row) => ({
      name: String(row[answer.by] ?? '') || `no ${answer.by}`,
      costUsd: row.cost_usd,
      share: all > 0 ? (row.cost_usd ?? 0) / all : 0,
      tokens: tokensOf(row),
      fromCache: cacheShare([row]),
      requests: row.requests ?? 0,
      unpriced: row.unpriced_requests ?? 0,
    }))
    .sort((left, right) => (right.costUsd ?? -1) - (left.costUsd ?? -1));
}

export interface Day {
  /** Midnight, milliseconds since 1970. */
  at: number;
  label: string;
  costUsd: number | null;
  fromCache: number | null;
}

/** One entry for each day of the range, also where nothing was spent. */
export function days(answer: CostAnswer, from: number, to: number): Day[] {
  const known = new Map(answer.rows.map((row) => [String(row['day']), row]));
  const found: Day[] = [];
  for (const date = new Date(from); date.getTime() <= to; date.setUTCDate(date.getUTCDate() + 1)) {
    const row = known.get(date.toISOString().slice(0, 10));
    const at = date.getTime();
    found.push({ at, label: day(at), costUsd: row?.cost_usd ?? null, fromCache: row ? cacheShare([row]) : null });
  }
  return found;
}

/** A part of what each day cost. */
export interface Layer {
  name: string;
  /** One for each day. */
  costsUsd: number[];
}

/** Layers of a chart that can be told apart; of more models, the least dear stand together. */
export const LAYERS_MAX = 4;
export const OTHERS = 'others';

/** The models of each day, the dearest of the range first. */
export function layers(answer: CostAnswer, shown: readonly Day[]): Layer[] {
  const places = new Map(shown.map((one, index) => [new Date(one.at).toISOString().slice(0, 10), index]));
  const found = new Map<string, Layer>();
  for (const row of answer.rows) {
    const place = places.get(String(row['day']));
    if (place === undefined || !row.cost_usd) continue;
    const name = String(row['model'] ?? '') || 'no model';
    const layer = found.get(name) ?? { name, costsUsd: shown.map(() => 0) };
    layer.costsUsd[place] = (layer.costsUsd[place] ?? 0) + row.cost_usd;
    found.set(name, layer);
  }
  const whole = (layer: Layer) => layer.costsUsd.reduce((sum, cost) => sum + cost, 0);
  const sorted = [...found.values()].sort((left, right) => whole(right) - whole(left));
  if (sorted.length <= LAYERS_MAX) return sorted;
  const rest = sorted.splice(LAYERS_MAX - 1);
  return [...sorted, { name: OTHERS, costsUsd: shown.map((_, index) => rest.reduce((sum, layer) => sum + (layer.costsUsd[index] ?? 0), 0)) }];
}

/** What today will have cost by midnight, if it goes on so; null before it says something. */
export function expectedToday(spent: number, now: number): number | null {
  const gone = (now % 86_400_000) / 86_400_000;
  return gone < 0.1 ? null : spent / gone;
}

export function unpricedNote(count: number): string {
  return count === 0 ? '' : `${plural(count, 'request')} unpriced: no price is in force for the model, so the true cost is higher.`;
}
