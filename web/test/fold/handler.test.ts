import { expect, test } from 'vitest';
import { failure, type Handler, isSink, lag, latency, owed, rate, remember } from '../../src/fold/handler';

const one = (more: Partial<Handler>): Handler => ({ name: 'a', role: 'handler', state: 'running', pending: 0, done: 0, dead: 0, skipped: 0, ...more });

test('what matched is what was done, what waits, what died and what was skipped', () => {
  const right = [one({ done: 5, pending: 2, dead: 1, skipped: 1, matched: 9 }), one({ name: 'b', done: 3, matched: 3 })];
  expect(owed(right)).toEqual({ matched: 12, done: 8, pending: 2, dead: 1, skipped: 1, off: 0 });
  // One too many here and one too few there is not right.
  expect(owed([one({ done: 5, matched: 6 }), one({ done: 5, matched: 4 })]).off).toBe(2);
  expect(owed([one({ done: 5, matched: 5 }), one({ done: 1 })]).off).toBeNull();
  expect(owed([]).off).toBeNull();
});

test('no data is a dash, and what is small is not nothing', () => {
  expect([latency(null), latency(0.84), latency(9.96), latency(22.4), latency(18_400)]).toEqual(['–', '0.8 ms', '10 ms', '22 ms', '18.4 s']);
  expect([rate(undefined), rate(0), rate(0.02), rate(2.14), rate(118.4)]).toEqual(['–', '0', '< 0.1', '2.1', '118']);
});

test('an error is told once', () => {
  expect(failure({ code: 'http_503', message: 'busy' })).toBe('http_503: busy');
  expect(failure({ code: 'http_503', message: 'http_503: busy' })).toBe('http_503: busy');
  expect([failure({ code: 'timeout' }), failure({ message: 'gone' }), failure(null)]).toEqual(['timeout', 'gone', '']);
});

test('who has no role is a sink, and how far it is behind is told by its own head', () => {
  const { role, ...old } = one({ position: 4, head: 9 });
  expect([role, isSink(old), isSink(one({})), lag(old, 100), lag(one({ position: 90 }), 100)]).toEqual(['handler', true, false, 5, 10]);
});

test('rates are kept for a while, and only of who is there', () => {
  let known = remember(new Map(), [one({ rate_per_second: 1 }), one({ name: 'gone' })]);
  for (let reading = 0; reading < 100; reading += 1) known = remember(known, [one({ rate_per_second: reading })]);
  expect([...known.keys()]).toEqual(['a']);
  expect([known.get('a')?.length, known.get('a')?.[0], known.get('a')?.at(-1)]).toEqual([60, 40, 99]);
});
