import { expect, test } from 'vitest';
import { windowOf } from '../../src/list/window';

test('few of a hundred thousand rows are drawn, and the scrollbar has the whole length', () => {
  const shown = windowOf(100_000, 26, 1_300_000, 780);
  expect(shown.end - shown.first).toBeLessThan(100);
  expect(shown.above + (shown.end - shown.first) * 26 + shown.below).toBe(2_600_000);
  expect(shown.first).toBeLessThanOrEqual(50_000);
  expect(shown.end).toBeGreaterThan(50_030);
});

test('the ends', () => {
  expect(windowOf(0, 26, 0, 780)).toEqual({ first: 0, end: 0, above: 0, below: 0 });
  expect(windowOf(3, 26, 0, 780)).toEqual({ first: 0, end: 3, above: 0, below: 0 });
  expect(windowOf(10, 26, 9_999, 780).end).toBe(10);
});
