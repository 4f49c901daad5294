/** A session as a tree of spans: session, turn, call, and below an Agent call what its subagent did. */
import { type Call, phrase } from './call';
import type { Session, Turn } from './session';

export interface Span {
  key: string;
  depth: number;
  name: string;
  detail: string;
  from: number;
  to: number;
  /** Null for what is no call. */
  call: Call | null;
}

/** Of one turn; spans in the order in which they begin, each behind the one that it is part of. */
export function spansOf(session: Session, turn: Turn, now: number): Span[] {
  const turnEnd = turn.endedAt ?? now;
  const spans: Span[] = [
    { key: 'turn', depth: 0, name: turn.synthetic ? 'Background report' : `Turn ${turn.number}`, detail: turn.prompt, from: turn.startedAt, to: turnEnd, call: null },
  ];
  const add = (agentId: string, depth: number): void => {
    const calls = turn.calls.filter((call) => call.agentId === agentId).sort((left, right) => left.startedAt - right.startedAt);
    for (const call of calls) {
      const { code, plain } = phrase(call.tool, call.input);
      spans.push({ key: call.id, depth, name: call.tool, detail: code || plain, from: call.startedAt, to: call.endedAt ?? now, call });
      const agent = call.spawned ? session.subagents.get(call.spawned) : undefined;
      // An agent that is its own ancestor would never end.
      if (!agent || agent.id === agentId || depth > 8) continue;
      spans.push({ key: agent.id, depth: depth + 1, name: agent.type || 'subagent', detail: agent.id.slice(0, 8), from: agent.startedAt, to: agent.endedAt ?? now, call: null });
      add(agent.id, depth + 2);
    }
  };
  add('', 1);
  const shown = new Set(spans.map((span) => span.key));
  for (const call of turn.calls.filter((one) => !shown.has(one.id))) {
    spans.push({ key: call.id, depth: 1, name: call.tool, detail: phrase(call.tool, call.input).code, from: call.startedAt, to: call.endedAt ?? now, call });
  }
  return spans;
}
