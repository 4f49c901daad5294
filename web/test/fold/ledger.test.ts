import { expect, test } from 'vitest';
import { CHUNK, Ledger } from '../../src/list/ledger';
import type { EventPage } from '../../src/live/api';

/** A log of so many positions, of which those that match are events; a page ends after `scan` positions. */
function server(head: number, matches: (position: number) => boolean, scan = 10_000) {
  const asked: number[] = [];
  const fetch = async (query: URLSearchParams): Promise<EventPage> => {
    const limit = Number(query.get('limit'));
    let position = Math.min(head, Number(query.get('cursor') ?? query.get('after')) - 1);
    asked.push(position);
    const events = [];
    let scanned = 0;
    for (; position > 0 && events.length < limit && scanned < scan; position -= 1, scanned += 1) {
      if (matches(position)) events.push({ id: `e${position}`, source: '/t', type: 'demo.a', position, time: '2026-11-20T10:00:00Z' });
    }
    return { events, next: position > 0 ? String(position + 1) : null, position: head, scanned_to: position + 1 };
  };
  return { fetch, asked };
}

test('a hundred thousand rows are a scrollbar, not a download', async () => {
  const { fetch, asked } = server(100_000, () => true);
  const ledger = new Ledger(new URLSearchParams(), 100_000, fetch);
  await ledger.load(ledger.missing(0, 40)!);
  expect(ledger.total).toBe(100_000);
  expect(ledger.row(0)!.position).toBe(100_000);
  const far = ledger.indexOf(12_345);
  await ledger.load(ledger.missing(far, far + 1)!);
  expect(ledger.row(ledger.indexOf(12_345))!.position).toBe(12_345);
  expect(asked).toHaveLength(2);
});

test('every matching event is met once, whatever the pages', async () => {
  for (const scan of [7, 300, 100_000]) {
    const { fetch } = server(2_750, (position) => position % 3 === 0, scan);
    const ledger = new Ledger(new URLSearchParams(), 2_750, fetch);
    for (let missing = ledger.missing(0, ledger.total); missing !== null; missing = ledger.missing(0, ledger.total)) await ledger.load(missing);
    const met = Array.from({ length: ledger.total }, (_, index) => ledger.row(index)!.position);
    expect(met).toEqual(Array.from({ length: 916 }, (_, index) => 2_748 - 3 * index));
    expect(ledger.isExact).toBe(true);
  }
});

test('a filter without a match ends', async () => {
  const { fetch } = server(5_000, () => false, 1_000);
  const ledger = new Ledger(new URLSearchParams(), 5_000, fetch);
  let rounds = 0;
  for (let missing = ledger.missing(0, 40); missing !== null && rounds < 50; missing = ledger.missing(0, 40), rounds += 1) await ledger.load(missing);
  expect([ledger.total, ledger.isExact]).toEqual([0, true]);
});

test('what arrives is read with the newest chunk', async () => {
  const { fetch } = server(2 * CHUNK + 10, () => true);
  const ledger = new Ledger(new URLSearchParams(), CHUNK + 5, fetch);
  await ledger.load(1);
  ledger.grow(2 * CHUNK + 10);
  for (let missing = ledger.missing(0, ledger.total); missing !== null; missing = ledger.missing(0, ledger.total)) await ledger.load(missing);
  expect(ledger.row(0)!.position).toBe(2 * CHUNK + 10);
  expect(ledger.total).toBe(2 * CHUNK + 10);
});
