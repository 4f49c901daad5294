import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LogEvent } from '../../src/fold/event';
import { fold, type Fleet, newFleet } from '../../src/fold/fleet';

const FIXTURES = fileURLToPath(new URL('../../../crates/tacho-testkit/fixtures/claude-code/sessions/', import.meta.url));

/** A captured session, as the server would send it. */
export function capture(name: string, from = 1): LogEvent[] {
  const lines = readFileSync(`${FIXTURES}${name}.jsonl`, 'utf8').trim().split('\n');
  return lines.map((line, index) => {
    const { t, payload } = JSON.parse(line) as { t: number; payload: Record<string, string> };
    const hook = (payload['hook_event_name'] ?? '').replace(/(?!^)([A-Z])/g, '_$1').toLowerCase();
    return hookEvent(hook, payload, t * 1_000, from + index);
  });
}

export function hookEvent(hook: string, data: Record<string, unknown>, at: number, position: number): LogEvent {
  return {
    id: `event-${position}`,
    source: '/claude-code/demo',
    type: `claude.${hook}`,
    subject: `session/${String(data['session_id'])}`,
    sessionid: String(data['session_id']),
    time: new Date(at).toISOString(),
    position,
    data,
  };
}

export function folded(events: readonly LogEvent[]): Fleet {
  const fleet = newFleet();
  for (const event of events) fold(fleet, event);
  return fleet;
}
