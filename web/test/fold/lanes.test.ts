import { expect, test } from 'vitest';
import { axisOf, chainsOf, costSteps, lanesOf, timeAt, xOf } from '../../src/fold/lanes';
import { capture, folded, hookEvent } from './capture';

const only = (events: ReturnType<typeof capture>) => [...folded(events).sessions.values()][0]!;
const HOUR = 3_600_000;
const place = { session_id: 's', cwd: '/home/dev/demo' };
const prompt = (id: string, at: number, position: number) => hookEvent('user_prompt_submit', { ...place, prompt: id, prompt_id: id }, at, position);
const stop = (id: string, at: number, position: number) => hookEvent('stop', { ...place, prompt_id: id, last_assistant_message: 'done' }, at, position);
const asked = { ...place, tool_name: 'Bash', tool_use_id: 't', tool_input: { command: 'make' } };

test('every bar of a captured session is within the width, and none lies on another', () => {
  const session = only(capture('full'));
  const axis = axisOf(session, session.lastAt, 900, true);
  for (const lane of lanesOf(session, axis, session.lastAt, 60)) {
    const rows = new Map<number, typeof lane.bars>();
    for (const bar of lane.bars) rows.set(bar.y, [...(rows.get(bar.y) ?? []), bar]);
    for (const bars of rows.values()) {
      bars.forEach((bar, index) => expect(bar.x).toBeGreaterThanOrEqual(index === 0 ? 0 : bars[index - 1]!.x + bars[index - 1]!.width));
    }
    for (const bar of lane.bars) expect(bar.x + bar.width).toBeLessThan(910);
  }
});

test('a place on the axis is the moment that stands there', () => {
  const session = only(capture('full'));
  for (const isFolded of [true, false]) {
    const axis = axisOf(session, session.lastAt, 900, isFolded);
    for (const call of session.calls.values()) expect(timeAt(axis, xOf(axis, call.startedAt))).toBeCloseTo(call.startedAt, -1);
  }
});

test('an idle night between two turns is narrow when folded, and long when not', () => {
  const session = only([prompt('a', 0, 1), stop('a', 60_000, 2), prompt('b', 8 * HOUR, 3), stop('b', 8 * HOUR + 60_000, 4)]);
  const gap = (isFolded: boolean) => {
    const axis = axisOf(session, session.lastAt, 1_000, isFolded);
    return xOf(axis, 8 * HOUR) - xOf(axis, 60_000);
  };
  expect(gap(true)).toBeLessThan(40);
  expect(gap(false)).toBeGreaterThan(990);
});

test('a wait is hatched from the question to the answer', () => {
  const session = only([
    prompt('a', 0, 1),
    hookEvent('pre_tool_use', { ...asked, prompt_id: 'a' }, 1_000, 2),
    hookEvent('permission_request', { ...place, tool_name: 'Bash', tool_input: { command: 'make' } }, 1_100, 3),
    hookEvent('post_tool_use', { ...asked, prompt_id: 'a', duration_ms: 900 }, 62_000, 4),
  ]);
  const axis = axisOf(session, session.lastAt, 1_000, false);
  const [bar] = lanesOf(session, axis, session.lastAt, 60)[0]!.bars;
  expect(timeAt(axis, bar!.waitX!)).toBeCloseTo(1_100, -2);
  expect(timeAt(axis, bar!.waitX! + bar!.waitWidth)).toBeCloseTo(61_100, -2);
});

test('tries are numbered knots, and say how it ended', () => {
  const events = [prompt('a', 0, 1)];
  ['post_tool_use_failure', 'post_tool_use'].forEach((outcome, n) => {
    const call = { ...asked, prompt_id: 'a', tool_use_id: `t${n}` };
    events.push(hookEvent('pre_tool_use', call, n * 1_000, n * 2 + 2), hookEvent(outcome, { ...call, error: 'no' }, n * 1_000 + 500, n * 2 + 3));
  });
  const session = only(events);
  const chains = chainsOf(lanesOf(session, axisOf(session, session.lastAt, 900, true), session.lastAt, 60));
  expect(chains.map((chain) => [chain.label, chain.knots.map((knot) => [knot.number, knot.ok])])).toEqual([['“Bash”, passed at attempt 2', [[1, false], [2, true]]]]);
});

test('without a price there is no line of cost', () => {
  const session = only(capture('full'));
  expect(costSteps(session, axisOf(session, session.lastAt, 900, true), 0, 20)).toBe('');
});
