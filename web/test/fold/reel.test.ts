import { expect, test } from 'vitest';
import { changes, type Entry, familyOf, PAGE, Reel } from '../../src/fold/reel';

const entry = (sequence: number, patch: Entry['patch'] = []): Entry => ({ sequence, position: sequence + 100, at: new Date(sequence * 1_000).toISOString(), id: `e${sequence}`, type: sequence % 10 === 0 ? 'AgentFailed' : 'AgentSpawned', patch });
const count = (from: number, to: number): Entry[] => Array.from({ length: to - from + 1 }, (_, index) => entry(from + index, [{ op: 'replace', path: '/n', value: from + index }]));

test('every state of a page is at hand, forwards and backwards', () => {
  const reel = new Reel();
  reel.add(0, { n: 1, kept: {} }, count(1, PAGE));
  const states = Array.from({ length: PAGE }, (_, index) => reel.state(index + 1) as { n: number; kept: object });
  expect(states.map((state) => state.n)).toEqual(Array.from({ length: PAGE }, (_, index) => index + 1));
  expect(states.every((state) => state.kept === states[0]?.kept)).toBe(true);
  expect(reel.state(PAGE + 1)).toBeUndefined();
  expect(reel.entry(17)?.id).toBe('e17');
});

test('pages meet without a gap, and the first to be read are let go first', () => {
  expect([1, PAGE, PAGE + 1].map((sequence) => Reel.pageOf(sequence))).toEqual([0, 0, 1]);
  const reel = new Reel();
  for (let page = 0; page < 40; page += 1) reel.add(page, { n: 0 }, [entry(Reel.first(page))]);
  expect([reel.has(0), reel.has(39)]).toEqual([false, true]);
});

test('what is around a moment, and the next that changed or failed', () => {
  const reel = new Reel();
  reel.add(0, { n: 1 }, count(1, 30).map((one) => (one.sequence > 12 && one.sequence < 16 ? { ...one, patch: [] } : one)));
  expect(reel.around(10, 2_000, 60).map((one) => one.sequence)).toEqual([8, 9, 10, 11, 12]);
  expect(reel.around(1, 60_000, 3).map((one) => one.sequence)).toEqual([1, 2, 3, 4]);
  expect(reel.next(12, 1, changes)).toBe(16);
  expect(reel.next(16, -1, changes)).toBe(12);
  expect(reel.next(11, 1, (one) => familyOf(one.type) === 'fail')).toBe(20);
  expect(reel.next(30, 1, changes)).toBeNull();
});

test('a type says its family', () => {
  const families = ['PhaseFailed', 'AgentSpawned', 'TestRunStarted', 'CommitCreated', 'RecoveryAttempted', 'PhaseStarted', 'claude.pre_tool_use', 'claude.post_tool_use_failure', 'claude.permission_request', 'claude.user_prompt_submit', 'OrchestrationPaused'].map(familyOf);
  expect(families).toEqual(['fail', 'agent', 'tool', 'marker', 'reaction', 'system', 'tool', 'fail', 'ask', 'turn', 'ask']);
});
