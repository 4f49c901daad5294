/** What a person did about a call that waits: seen, answered, or taken off the list. */
import { type LogEvent, type Fields, text } from './event';
import type { Session } from './session';

export function isDeed(type: string): boolean {
  return type === 'hitl_acknowledged' || type === 'hitl_answered' || type === 'hitl_resolved';
}

/** What was decided elsewhere goes on here: whether the agent was allowed, its next hook tells. */
export function deed(session: Session, event: LogEvent, data: Fields, at: number): void {
  const wait = text(data['wait']);
  const call = wait && [...session.calls.values()].find((other) => other.askId === wait);
  if (!call || call.state !== 'asking') return;
  call.positions.push(event.position);
  if (event.type === 'hitl_acknowledged') {
    call.seenBy ||= text(data['by']) || event.actorid || 'somebody';
    return;
  }
  call.state = 'running';
  call.answeredAt = at;
}
