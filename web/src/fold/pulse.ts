/** The last hour in numbers, from what the page itself has seen. */
import { length, merge, sessionActivity, type Span, subagentActivity } from './activity';
import { HOUR } from './cards';
import type { Fleet } from './fleet';

/** The hour is cut into this many pieces for a small chart. */
const PIECES = 10;

export interface Measure {
  value: number | null;
  /** Oldest first; null where nothing was. */
  pieces: (number | null)[];
}

export interface Pulse {
  utilization: Measure;
  costUsd: Measure;
  failureRate: Measure;
  waitedMs: Measure;
  completionMs: Measure;
}

interface Sample {
  at: number;
  value: number;
}

export function pulse(fleet: Fleet, now: number): Pulse {
  const from = now - HOUR;
  const costs: Sample[] = [];
  const failures: Sample[] = [];
  const turns: Sample[] = [];
  const worked: Span[] = [];
  const waited: Span[] = [];
  for (const session of fleet.sessions.values()) {
    const mine = sessionActivity(session, from, now);
    worked.push(...mine.worked);
    waited.push(...mine.waited);
    for (const agent of session.subagents.values()) waited.push(...subagentActivity(session, agent, from, now).waited);
    for (const request of session.requests) if (request.costUsd !== null) costs.push({ at: request.at, value: request.costUsd });
    for (const call of session.calls.values()) {
      if (call.state === 'failed' || call.state === 'done') failures.push({ at: call.endedAt ?? 0, value: call.state === 'failed' ? 1 : 0 });
    }
    for (const turn of session.turns) {
      if (turn.state === 'done' && !turn.synthetic && turn.endedAt !== null) turns.push({ at: turn.endedAt, value: turn.endedAt - turn.startedAt });
    }
  }
  for (const run of fleet.tasks.runs) {
    worked.push([Math.max(from, run.startedAt), Math.max(from, run.endedAt ?? now)]);
    if (run.costUsd !== null && run.endedAt !== null) costs.push({ at: run.endedAt, value: run.costUsd });
  }
  return {
    utilization: share(worked, from),
    costUsd: measured(costs, from, sum),
    failureRate: measured(failures, from, mean),
    waitedMs: waited.length === 0 ? { value: null, pieces: [] } : { value: length(merge(waited)), pieces: byPiece(waited, from) },
    completionMs: measured(turns, from, mean),
  };
}

function share(spans: readonly Span[], from: number): Measure {
  if (spans.length === 0) return { value: null, pieces: [] };
  const union = merge(spans);
  return { value: length(union) / HOUR, pieces: byPiece(union, from).map((ms) => (ms ?? 0) / (HOUR / PIECES)) };
}

function byPiece(spans: readonly Span[], from: number): (number | null)[] {
  const size = HOUR / PIECES;
  return Array.from({ length: PIECES }, (_, piece) => {
    const start = from + piece * size;
    const inside = spans.map(([a, b]) => [Math.max(a, start), Math.min(b, start + size)] as const).filter(([a, b]) => b > a);
    return length(merge(inside));
  });
}

function measured(samples: readonly Sample[], from: number, over: (values: number[]) => number): Measure {
  const recent = samples.filter((sample) => sample.at >= from);
  if (recent.length === 0) return { value: null, pieces: [] };
  const size = HOUR / PIECES;
  const pieces = Array.from({ length: PIECES }, (_, piece) => {
    const values = recent.filter((sample) => Math.floor((sample.at - from) / size) === piece).map((sample) => sample.value);
    return values.length === 0 ? null : over(values);
  });
  return { value: over(recent.map((sample) => sample.value)), pieces };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
