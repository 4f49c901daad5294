import { expect, test } from 'vitest';
import type { LogEvent } from '../../src/fold/event';
import { agentLines, errorState, eventsOf, openGaps, orchestrationOf, phaseRuns, progress, took, urgency } from '../../src/fold/orchestration';
import { breakpointsOf, breakpointText, jsonTrouble, supposedOf, suppositionTrouble } from '../../src/fold/whatif';

const told = (minutes: number, type: string, data: Record<string, unknown>): LogEvent => ({ id: `${type}-${minutes}`, source: '/o', type, subject: 'issue/A', sequence: String(minutes + 1), time: new Date(minutes * 60_000).toISOString(), position: minutes + 1, data });

test('a state of which nothing is known is not started, and nothing in it is made up', () => {
  const one = orchestrationOf({});
  expect([one.status, one.active, took(one, 5), openGaps(one), one.failure]).toEqual(['not_started', [], null, [], null]);
  expect(orchestrationOf('odd').status).toBe('not_started');
});

test('names may be plain or records, and failed comes first', () => {
  const failed = orchestrationOf({ status: 'failed', current_phase: 'TEST', completed_phases: ['EXPLORE', { phase: 'PLAN' }], failed_agents: [{ agent_name: 'tester' }], identified_gaps: [{ gap_id: 'a' }, { gap_id: 'b' }], resolved_gaps: ['a'], failure: { phase: 'TEST', reason: 'no' } });
  const blocked = orchestrationOf({ status: 'in_progress', blocked_agents: [{ agent_name: 'x', blocked_by: 'the endpoint', blocking_agent: 'y' }] });
  expect([failed.failed, openGaps(failed).length, blocked.blocked[0]?.by]).toEqual([['tester'], 1, 'y']);
  expect(progress(failed).map((step) => step.state)).toEqual(['done', 'done', 'ahead', 'failed', 'ahead', 'ahead']);
  expect([blocked, orchestrationOf({ status: 'completed' }), failed].sort((left, right) => urgency(left) - urgency(right)).map((one) => one.status)).toEqual(['failed', 'in_progress', 'completed']);
});

test('a phase that is gone through twice is two runs, with the pause between them', () => {
  const runs = phaseRuns([
    told(0, 'PhaseStarted', { phase: 'CODE' }), told(10, 'OrchestrationPaused', { pause_reason: 'review' }), told(20, 'OrchestrationResumed', {}), told(30, 'PhaseFailed', { phase: 'CODE', failure_reason: 'no' }),
    told(31, 'PhaseStarted', { phase: 'FIX' }),
  ]);
  expect(runs.map((run) => [run.name, run.outcome, run.from / 60_000, run.to === null ? null : run.to / 60_000, run.note])).toEqual([['CODE', 'completed', 0, 10, ''], ['CODE', 'paused', 10, 20, 'review'], ['CODE', 'failed', 20, 30, 'no'], ['FIX', 'open', 31, null, '']]);
});

test('an agent has its task, its times and what it failed of', () => {
  const one = orchestrationOf({ active_agents: ['a'], failed_agents: ['b'] });
  const lines = agentLines(one, [told(1, 'AgentSpawned', { agent_name: 'a', assigned_task: 'build' }), told(2, 'AgentSpawned', { agent_name: 'b' }), told(5, 'AgentFailed', { agent_name: 'b', failure_reason: 'type mismatch' }), told(6, 'AgentFailed', { agent_name: 'stranger' })]);
  expect(lines).toMatchObject([{ name: 'b', state: 'failed', from: 120_000, to: 300_000, said: 'type mismatch', sequence: 6 }, { name: 'a', state: 'active', task: 'build', to: null }]);
});

test('an error says what became of it, and links to the event that told of it', () => {
  expect(['open', 'recovering', 'recovered', 'failed'].map((status) => errorState({ status }))).toEqual(['open', 'recovering', 'recovered', 'failed']);
  expect([errorState({}), errorState({ status: 'open', recovered: true })]).toEqual(['open', 'recovered']);
  const events = [told(1, 'PhaseFailed', { failure_reason: 'no' }), told(2, 'OrchestrationFailed', { failure_reason: 'no' })];
  expect(eventsOf(events, /Failed/, 'PhaseFailed-1').map((event) => event.type)).toEqual(['PhaseFailed']);
});

test('what is supposed is checked before it is asked', () => {
  expect([jsonTrouble('{}'), jsonTrouble('[]'), jsonTrouble('{').length > 0]).toEqual(['', 'the data of an event is an object: { … }', true]);
  expect(suppositionTrouble({ without: [], added: [], instead: [] })).toMatch(/leave something out/);
  expect(suppositionTrouble({ without: [], added: [{ type: ' ', data: '{}', after: '' }], instead: [] })).toMatch(/needs a type/);
  expect(suppositionTrouble({ without: ['A'], added: [], instead: [{ id: 'x', data: '{' }] })).toMatch(/^x: /);
  const one = { without: ['AgentFailed'], added: [{ type: 'GapResolved', data: '{"gap_id":"a"}', after: '7' }], instead: [{ id: 'x', data: '{"n":1}' }] };
  expect([suppositionTrouble(one), supposedOf(one, 42)]).toEqual(['', { without: ['AgentFailed'], with: [{ type: 'GapResolved', data: { gap_id: 'a' }, after: 7 }], instead: { x: { n: 1 } }, until: 42 }]);
});

test('breakpoints go into the URL and come back', () => {
  const both = [{ condition: '.state.errors | length > 0', isOn: true }, { condition: '.event.type != "A"', isOn: false }];
  expect(breakpointsOf(breakpointText(both))).toEqual(both);
  expect(breakpointsOf('')).toEqual([]);
});
