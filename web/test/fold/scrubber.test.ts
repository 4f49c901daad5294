import { expect, test } from 'vitest';
import { activeAt, bandsOf, barsOf, busiestOf, eventAt, type StreamOverview, ticksOf, timeOfEvent, trackOf, traceOf, xOfEvent } from '../../src/fold/scrubber';

const MINUTE = 60_000;
const START = Date.parse('2026-01-05T09:00:00Z');
const at = (minutes: number): string => new Date(START + minutes * MINUTE).toISOString();

function overview(minutes: readonly number[], more: Partial<StreamOverview> = {}): StreamOverview {
  const buckets = minutes.map((minute, index) => ({ from: index + 1, to: index + 1, at: at(minute), until: at(minute), events: 1, changes: index % 3, failures: 0 }));
  const mark = (index: number) => ({ sequence: index + 1, position: index + 10, at: at(minutes[index] ?? 0) });
  return { stream: 'issue/A', projection: 'orchestration', first: mark(0), last: mark(minutes.length - 1), buckets, bands: [], active: [], ...more };
}
const STEADY = Array.from({ length: 60 }, (_, index) => index);

test('events stand in their order from one end to the other, and each place leads back to its event', () => {
  for (const minutes of [STEADY, [0, 0, 0, 1, 300, 301, 301, 900], [5, 3, 4, 9]]) {
    const track = trackOf(overview(minutes), 1_000);
    const places = minutes.map((_, index) => xOfEvent(track, index + 1));
    expect(places[0]).toBe(0);
    expect(places.at(-1)).toBeCloseTo(1_000);
    places.forEach((x, index) => {
      if (index > 0) expect(x).toBeGreaterThan(places[index - 1] ?? 0);
      expect(eventAt(track, x)).toBe(index + 1);
    });
    expect([eventAt(track, -50), eventAt(track, 5_000)]).toEqual([1, minutes.length]);
  }
});

test('a long pause is folded, and says how long it was', () => {
  const track = trackOf(overview([...STEADY, ...STEADY.map((minute) => minute + 59 + 255)]), 1_000);
  expect(track.folds.map((fold) => Math.round(fold.ms / MINUTE))).toEqual([255]);
  expect(track.folds[0]?.width).toBeLessThan(250);
  expect(trackOf(overview(STEADY), 1_000).folds).toEqual([]);
});

test('a bucket of many events is as wide as they are', () => {
  const one = overview([0, 1, 2]);
  one.buckets = [{ from: 1, to: 100, at: at(0), until: at(100), events: 100, changes: 250, failures: 2 }, { from: 101, to: 101, at: at(101), until: at(101), events: 1, changes: 1, failures: 0 }];
  one.last = { sequence: 101, position: 200, at: at(101) };
  const track = trackOf(one, 1_000);
  expect(xOfEvent(track, 50)).toBeCloseTo((xOfEvent(track, 100) * 49) / 99);
  expect([xOfEvent(track, 100) > 900, track.folds]).toEqual([true, []]);
  expect(timeOfEvent(track, 50)).toBeCloseTo(START + 49.5 * MINUTE, -5);
  expect(barsOf(one, track, 34)).toMatchObject([{ height: 34, failures: 2, sequence: null }, { sequence: 101 }]);
});

test('a stream of one event has its needle in the middle', () => {
  const track = trackOf(overview([0]), 400);
  expect([xOfEvent(track, 1), eventAt(track, 300)]).toEqual([200, 1]);
});

test('ticks keep apart, and none stands in a fold', () => {
  const track = trackOf(overview([...STEADY, ...STEADY.map((minute) => minute + 400)]), 1_000);
  const ticks = ticksOf(track);
  expect(ticks.length).toBeGreaterThan(4);
  ticks.forEach((tick, index) => index > 0 && expect(tick.x - (ticks[index - 1]?.x ?? 0)).toBeGreaterThanOrEqual(74));
  const [fold] = track.folds;
  expect(ticks.filter((tick) => fold && tick.x > fold.x + 3 && tick.x < fold.x + fold.width - 3)).toEqual([]);
});

test('phases follow each other, and agents at work are counted', () => {
  const one = overview(STEADY, { bands: [{ name: 'PLAN', from: 1, to: 20 }, { name: 'CODE', from: 21, to: 60 }], active: [{ sequence: 5, count: 1 }, { sequence: 10, count: 2 }, { sequence: 50, count: 0 }] });
  const track = trackOf(one, 1_000);
  const [plan, code] = bandsOf(one, track);
  expect((plan?.x ?? 0) + (plan?.width ?? 0)).toBeCloseTo((code?.x ?? 0) - 2);
  expect([1, 9, 10, 60].map((sequence) => activeAt(one, sequence))).toEqual([0, 1, 2, 0]);
  expect(traceOf(one, track, 50, 80)).toMatch(/^M0 80\.0H\d.*V50\.0.*V80\.0H1000$/);
  expect(busiestOf(one, track)).toMatchObject({ count: 2, x: xOfEvent(track, 10) });
  expect([traceOf(overview(STEADY), track, 50, 80), activeAt(overview(STEADY), 3)]).toEqual(['', null]);
});
