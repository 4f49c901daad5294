import { expect, test } from 'vitest';
import { groups, waiters } from '../../src/fold/cards';
import type { LogEvent } from '../../src/fold/event';
import { folded } from './capture';

let position = 0;
const told = (type: string, data: Record<string, unknown>, seconds: number): LogEvent => ({
  id: `t${seconds}-${type}`,
  source: '/api',
  type,
  subject: `task/${String(data['task_id'])}`,
  time: new Date(seconds * 1_000).toISOString(),
  position: (position += 1),
  data,
});

test('a task waits for a person from its escalation until it is resolved', () => {
  const events = [
    told('task_queued', { task_id: 'a', feature: 'login', est_cost: 0.4 }, 1),
    told('agent_started', { task_id: 'a', agent: 'scribe', model: 'claude-haiku-4-5' }, 2),
    told('agent_completed', { task_id: 'a', agent: 'scribe', status: 'failed', duration_ms: 900, cost_usd: 0.01 }, 3),
    told('hitl_escalated', { task_id: 'a', attempts: 3, last_error: 'no route' }, 4),
  ];
  const fleet = folded(events);
  expect(waiters(fleet, 40_000)).toMatchObject([{ who: 'a', command: 'no route' }]);
  expect(groups(fleet, 5_000)).toEqual([]);
  expect(fleet.tasks.runs[0]).toMatchObject({ state: 'failed', costUsd: 0.01, endedAt: 3_000 });
  expect(waiters(folded([...events, told('hitl_resolved', { task_id: 'a' }, 6)]), 7_000)).toEqual([]);
  const wait = 't4-hitl_escalated';
  const seen = told('hitl_acknowledged', { task_id: 'a', wait, by: 'ada' }, 5);
  expect(waiters(folded([...events, seen]), 7_000)).toMatchObject([{ id: wait, isTask: true, seenBy: 'ada' }]);
  expect(waiters(folded([...events, seen, told('hitl_answered', { task_id: 'a', wait, answer: 'b' }, 6)]), 7_000)).toEqual([]);
  expect(waiters(folded([...events, told('hitl_resolved', { task_id: 'a', wait: 'another' }, 6)]), 7_000)).toHaveLength(1);
});

test('an agent of an orchestration is known by its name, or by the id that older records have', () => {
  const runs = (field: string) => folded([told('AgentSpawned', { [field]: 'mapper' }, 2), told('AgentSpawned', { [field]: 'planner' }, 3), told('AgentCompleted', { [field]: 'mapper' }, 4)]).tasks.runs.map((run) => run.state);
  expect(runs('agent_name')).toEqual(runs('agent_id'));
  expect(runs('agent_name')).toContain('done');
});

test('an agent at work is a card under its task', () => {
  const fleet = folded([told('agent_started', { task_id: 'b', agent: 'critic', model: 'claude-haiku-4-5' }, 2)]);
  expect(groups(fleet, 5_000)).toMatchObject([{ name: 'task/b', cards: [{ name: 'critic', state: 'working', model: 'haiku-4-5' }] }]);
});
