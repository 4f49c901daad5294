/** The six numbers above the agents: value, what is usual, and a verdict. */
import { HOUR } from './cards';
import type { Measure, Pulse } from './pulse';
import { beyond, type Usual, usual } from './usual';
import { clock, duration, money, NONE, percent } from './wording';

/** As `GET /api/metrics` answers; what it does not know is null. */
export interface Metrics {
  agent_utilization?: Record<string, number> | null;
  cost_per_feature?: number | null;
  average_retry_count?: number | null;
  critic_rejection_rate?: number | null;
  validation_pass_rate?: number | null;
  time_to_completion_seconds?: number | null;
  failure_rate?: number | null;
  cost_usd?: number | null;
  models?: Record<string, { count?: number; cost_usd?: number | null }> | null;
  trend?: (Metrics & { day: string })[];
}

export interface Tile {
  label: string;
  value: string;
  unit: string;
  note: string;
  values: (number | null)[];
  norm: Usual | null;
  factor: number | null;
}

/** What passed is called good at this share, and a task short below this many seconds. */
const PASS_TARGET = 0.95;
const COMPLETION_TARGET_S = 600;

export function tiles(seen: Pulse, metrics: Metrics | null): Tile[] {
  const trend = metrics?.trend ?? [];
  const days = (pick: (day: Metrics) => number | null | undefined): number[] =>
    trend.map(pick).filter((value) => typeof value === 'number');
  const costUsd = metrics?.cost_usd ?? seen.costUsd.value;
  const failure = metrics?.failure_rate ?? seen.failureRate.value;
  const seconds = metrics?.time_to_completion_seconds ?? null;
  const completion = seconds !== null ? seconds * 1_000 : seen.completionMs.value;
  const passed = metrics?.validation_pass_rate ?? null;
  return [
    tile('Utilization', percent(seen.utilization.value), '%', seen.utilization, null, seen.utilization.value, 'with an agent at work'),
    tile('Cost, last hour', money(costUsd), '', seen.costUsd, usualHour(days((day) => day.cost_usd)), costUsd, 'as agents report it'),
    tile('Failed calls', percent(failure), '%', seen.failureRate, usual(days((day) => day.failure_rate)), failure, 'of the calls that ended'),
    tile('Waited for you', ...waited(seen.waitedMs), seen.waitedMs, null, null, 'in the last hour'),
    {
      ...tile('Time to completion', completion === null ? NONE : completion < 60_000 ? duration(completion) : clock(completion), '', seen.completionMs, null, null, ''),
      note: completion === null ? 'no data in this hour' : seconds !== null ? `target under ${clock(COMPLETION_TARGET_S * 1_000)}` : 'of a turn, on average',
    },
    {
      ...tile('Validation pass', percent(passed), '%', { value: passed, pieces: days((day) => day.validation_pass_rate) }, null, null, ''),
      note: passed === null ? 'no data in this hour' : `target at least ${percent(PASS_TARGET)} %`,
    },
  ];
}

function tile(label: string, value: string, unit: string, measure: Measure, norm: Usual | null, now: number | null, note: string): Tile {
  const isKnown = value !== NONE;
  return {
    label,
    value,
    unit: isKnown ? unit : '',
    note: isKnown ? note : 'no data in this hour',
    values: isKnown ? measure.pieces : [],
    norm,
    factor: beyond(now, norm),
  };
}

/** What an hour costs, from days of which agents work about eight hours. */
function usualHour(days: readonly number[]): Usual | null {
  const norm = usual(days);
  return norm && { low: norm.low / 8, high: norm.high / 8 };
}

function waited(measure: Measure): [string, string] {
  if (measure.value === null) return [NONE, ''];
  if (measure.value >= HOUR / 60) return [String(Math.round(measure.value / 60_000)), 'min'];
  return [duration(measure.value), ''];
}
