import { expect, test } from 'vitest';
import { rowOf } from '../../src/fold/row';
import { shown, told } from '../../src/list/families';
import { capture } from './capture';

const line = (row: ReturnType<typeof rowOf>) => `${row.family}: ${[row.verb, row.code, row.detail].filter(Boolean).join(' ')}`;

test('a captured session, as the feed tells it: each call once, the answer once', () => {
  const rows = told(capture('permission-denied').map(rowOf).toReversed());
  expect(rows.map(line).toReversed()).toEqual([
    'system: Session began startup',
    'turn: SCENARIO:denied clean up',
    'tool: Bash rm -rf ./build began',
    'ask: Asks to run rm -rf ./build',
    'answer: Answered I was not allowed to remove it.',
    'system: Session ended other',
  ]);
});

test('a failure says what went wrong', () => {
  const failed = capture('full').map(rowOf).filter((row) => row.family === 'fail');
  expect(failed.map(line)).toEqual(['fail: Bash failed Exit code 1 · 1 failed, 3 passed', 'fail: Read failed File does not exist. Note: your current working directory is /home/dev/demo.']);
  expect(failed[0]!.place).toBe('demo');
});

test('switches leave out their kinds, but never a question', () => {
  const rows = capture('permission-denied').map(rowOf);
  const left = shown(rows, ['turns', 'tools', 'failures', 'markers', 'reactions'], '');
  expect(left.map((row) => row.family)).toEqual(['ask']);
  expect(shown(rows, [], 'rm -rf').length).toBeGreaterThan(1);
});

test('types that nobody foresaw have a line, too', () => {
  const event = { id: 'a', source: '/ci/shop', type: 'ci.build_completed', position: 1, data: { duration_ms: 93_110, branch: 'main' } };
  expect(line(rowOf(event))).toBe('marker: ci.build_completed 1:33 · main');
  expect(line(rowOf({ ...event, type: 'OrchestrationFailed', data: null }))).toBe('fail: OrchestrationFailed');
});
