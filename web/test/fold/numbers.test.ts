import { expect, test } from 'vitest';
import { activity, length, merge } from '../../src/fold/activity';
import { newFleet } from '../../src/fold/fleet';
import { pulse } from '../../src/fold/pulse';
import { cacheShare, days, expectedToday, layers, OTHERS, shares } from '../../src/fold/spending';
import { tiles } from '../../src/fold/tiles';
import { beyond, usual } from '../../src/fold/usual';
import { clock, count, duration, money, percent } from '../../src/fold/wording';
import { capture, folded } from './capture';

test('no data is a dash, never a zero', () => {
  expect([duration(null), money(null), count(null), percent(null)]).toEqual(['–', '–', '–', '–']);
  expect(tiles(pulse(newFleet(), 0), null).map((tile) => [tile.value, tile.note])).toEqual(Array.from({ length: 6 }, () => ['–', 'no data in this hour']));
});

test('durations, money and counts', () => {
  expect([duration(42), duration(2_640), duration(370_000), duration(15_300_000), duration(59_990)]).toEqual(['42 ms', '2.6 s', '6:10', '4 h 15 min', '59.9 s']);
  expect([clock(8_000), clock(1_488_000), clock(3_723_000)]).toEqual(['0:08', '24:48', '1:02:03']);
  expect([money(1.9), money(0.0013), money(0), money(0.15081, 6)]).toEqual(['$1.90', '$0.0013', '$0.00', '$0.150810']);
  expect([count(940), count(12_400), count(3_100_000)]).toEqual(['940', '12.4k', '3.1M']);
});

test('what is usual is told when enough was seen', () => {
  expect(usual([1, 2, 3])).toBeNull();
  const norm = usual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(norm).toEqual({ low: 2, high: 10 });
  expect([beyond(9, norm), beyond(28, norm), beyond(null, norm), beyond(5, null)]).toEqual([null, 2.8, null, null]);
});

test('spans that touch are one, and count once', () => {
  expect(merge([[5, 9], [0, 4], [3, 6], [20, 21]])).toEqual([[0, 9], [20, 21]]);
  expect(length(activity([[0, 10], [5, 20]], [], 8, 15).worked)).toBe(7);
});

test('the pulse of a captured session', () => {
  const events = capture('full');
  const end = Date.parse(events.at(-1)!.time!);
  const seen = pulse(folded(events), end);
  expect(seen.failureRate.value).toBeCloseTo(0.2);
  expect(seen.costUsd.value).toBeNull();
  expect(seen.completionMs.value).toBeGreaterThan(1_000);
  expect(pulse(folded(events), end + 7_200_000).failureRate.value).toBeNull();
});

test('what has no price stands last and is not free', () => {
  const rows = [{ model: 'house', cost_usd: null, unpriced_requests: 2 }, { model: 'a', cost_usd: 1, input_tokens: 10, cache_read_tokens: 30 }, { model: 'b', cost_usd: 3 }];
  expect(shares({ by: 'model', cost_usd: 4, rows }).map((row) => [row.name, row.costUsd, row.share])).toEqual([['b', 3, 0.75], ['a', 1, 0.25], ['house', null, 0]]);
  expect(cacheShare(rows)).toBe(0.75);
  expect(cacheShare([])).toBeNull();
});

test('the dearest models of the range are layers, the others stand together', () => {
  const from = Date.UTC(2026, 10, 18);
  const shown = days({ by: 'day', cost_usd: 1, rows: [] }, from, from + 86_400_000);
  const row = (day: number, model: string | null, cost_usd: number | null) => ({ day: `2026-11-${day}`, model, cost_usd });
  const some = [row(18, 'a', 1), row(19, 'a', 1), row(19, 'b', 3), row(19, null, 0.5), row(19, 'unpriced', null), row(17, 'before', 9)];
  expect(layers({ by: 'model,day', cost_usd: 0, rows: some }, shown)).toEqual([
    { name: 'b', costsUsd: [0, 3] },
    { name: 'a', costsUsd: [1, 1] },
    { name: 'no model', costsUsd: [0, 0.5] },
  ]);
  const many = layers({ by: 'model,day', cost_usd: 0, rows: [...some, row(18, 'c', 0.25), row(18, 'd', 0.25)] }, shown);
  expect(many.map((one) => one.name)).toEqual(['b', 'a', 'no model', OTHERS]);
  expect(many[3]?.costsUsd).toEqual([0.5, 0]);
});

test('a day without cost is a day all the same', () => {
  const from = Date.UTC(2026, 10, 18);
  const found = days({ by: 'day', cost_usd: 1, rows: [{ day: '2026-11-19', cost_usd: 1 }] }, from, from + 2 * 86_400_000);
  expect(found.map((one) => one.costUsd)).toEqual([null, 1, null]);
  expect([expectedToday(1, 3_600_000), expectedToday(1, 12 * 3_600_000)]).toEqual([null, 2]);
});
