/** When an agent worked, when it waited for a person, when it failed. */
import type { Call } from './call';
import type { Session, Subagent } from './session';

/** Milliseconds since 1970, from and to. */
export type Span = readonly [number, number];

export interface Activity {
  worked: Span[];
  waited: Span[];
  failures: number[];
}

/** Of the session's own agent. */
export function sessionActivity(session: Session, from: number, now: number): Activity {
  const spans: Span[] = session.turns.map((turn) => [turn.startedAt, turn.endedAt ?? now] as const);
  return activity(spans, [...session.calls.values()].filter((call) => call.agentId === ''), from, now);
}

export function subagentActivity(session: Session, agent: Subagent, from: number, now: number): Activity {
  const calls = [...session.calls.values()].filter((call) => call.agentId === agent.id);
  return activity([[agent.startedAt, agent.endedAt ?? now]], calls, from, now);
}

export function activity(spans: readonly Span[], calls: readonly Call[], from: number, now: number): Activity {
  const waited = calls
    .filter((call) => call.askedAt !== null)
    .map((call) => [call.askedAt ?? 0, call.answeredAt ?? call.endedAt ?? now] as const);
  const failures = calls.filter((call) => call.state === 'failed').map((call) => call.endedAt ?? call.startedAt);
  return {
    worked: merge(clip(spans, from, now)),
    waited: merge(clip(waited, from, now)),
    failures: failures.filter((at) => at >= from && at <= now),
  };
}

function clip(spans: readonly Span[], from: number, to: number): Span[] {
  return spans
    .map(([start, end]) => [Math.max(start, from), Math.min(end, to)] as const)
    .filter(([start, end]) => end >= start);
}

/** Spans that touch become one. */
export function merge(spans: readonly Span[]): Span[] {
  const merged: [number, number][] = [];
  for (const [start, end] of [...spans].sort((left, right) => left[0] - right[0])) {
    const last = merged.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

export function length(spans: readonly Span[]): number {
  return spans.reduce((sum, [start, end]) => sum + end - start, 0);
}
