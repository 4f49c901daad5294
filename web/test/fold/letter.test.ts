import { expect, test } from 'vitest';
import { edited, isRounded, type Letter } from '../../src/fold/letter';
import { type LetterPage, Letters, PAGE } from '../../src/list/letters';
import { sweep, type Swept } from '../../src/list/sweep';

test('an edit tells in what it differs', () => {
  const before = { task: 't', priority: 'urgent', deep: { a: 1, b: [1, 2] }, gone: true };
  const { trouble, changes, value } = edited(before, '{"task":"t","priority":"high","deep":{"a":2,"b":[1,2]},"new":null}');
  expect([trouble, (value as { priority: string }).priority]).toEqual(['', 'high']);
  expect(changes.map(({ path, mark, before: old, after }) => `${mark} ${path}: ${old} | ${after}`)).toEqual(['~ priority: urgent | high', '~ deep/a: 1 | 2', '+ new:  | –', '− gone: true | ']);
  expect(edited(before, JSON.stringify(before, null, 4)).changes).toEqual([]);
  expect(edited({ list: [1, 2] }, '{"list":[2,1]}')).toMatchObject({ isChanged: true, changes: [] });
  expect(edited(before, JSON.stringify(before)).isChanged).toBe(false);
  expect(edited('plain', '"other"').changes).toMatchObject([{ path: 'payload', before: 'plain', after: 'other' }]);
});

test('what is no JSON is not sent, and where it is wrong is said', () => {
  const { trouble, changes } = edited({}, '{\n  "a": 1,\n}');
  expect(trouble).toMatch(/line 3 column 1/);
  expect(changes).toEqual([]);
  expect(edited({}, '').trouble).not.toBe('');
});

test('a number that a browser rounds is found', () => {
  expect(isRounded(JSON.parse('{"a":[{"id":12345678901234567890}]}'))).toBe(true);
  expect([isRounded({ a: 9_007_199_254_740_991, b: 0.1, c: 'x', d: null }), isRounded(1.5)]).toEqual([false, false]);
});

const letter = (n: number): Letter => ({ id: `l${n}`, handler: 'h', attempts: 5, error: { code: 'c' }, event: null, failedAt: '2026-11-20T10:00:00Z' });

function server(count: number) {
  const asked: string[] = [];
  const fetch = async (query: URLSearchParams): Promise<LetterPage> => {
    asked.push(query.get('cursor') ?? '');
    const from = Number(query.get('cursor') ?? 0);
    const end = Math.min(count, from + Number(query.get('limit')));
    return { dead_letters: Array.from({ length: end - from }, (_, n) => letter(from + n)), next: end < count ? String(end) : null, total: count };
  };
  return { fetch, asked };
}

async function look(letters: Letters, first: number, end: number): Promise<void> {
  for (let missing = letters.missing(first, end); missing !== null; missing = letters.missing(first, end)) await letters.load(missing);
}

test('of a hundred thousand letters only what is looked at is asked for', async () => {
  const { fetch, asked } = server(100_000);
  const letters = new Letters({}, fetch);
  await look(letters, 0, 40);
  expect([asked.length, letters.total, letters.count, letters.letter(39)?.id]).toEqual([1, 100_000, PAGE + 1, 'l39']);
  await look(letters, 90, PAGE + 1);
  expect([asked.length, letters.letter(PAGE + 1)?.id]).toEqual([2, `l${PAGE + 1}`]);
});

test('what was left far behind is let go, and read again from its cursor', async () => {
  const { fetch, asked } = server(10_000);
  const letters = new Letters({}, fetch);
  for (let end = 40; letters.read < 5_000; end += 50) await look(letters, end - 40, end);
  expect(letters.letter(0)).toBeNull();
  await look(letters, 0, 40);
  expect([letters.letter(0)?.id, asked.at(-1), letters.read]).toEqual(['l0', '', 5_000]);
});

test('a letter that is dead no more leaves its row to the next one', async () => {
  const { fetch } = server(3);
  const letters = new Letters({}, fetch);
  await look(letters, 0, 40);
  letters.drop('l1');
  expect([letters.read, letters.total, letters.letter(1)?.id, letters.indexOf('l2'), letters.indexOf('l1')]).toEqual([2, 2, 'l2', 1, -1]);
});

test('the end is known, also of none and of a cursor that does not move', async () => {
  const none = new Letters({}, server(0).fetch);
  await look(none, 0, 40);
  expect([none.count, none.total, none.letter(0)]).toEqual([0, 0, null]);
  const stuck = new Letters({}, async (query) => ({ dead_letters: [letter(query.has('cursor') ? 1 : 0)], next: 'same' }));
  await look(stuck, 0, 40);
  expect([stuck.count, stuck.total]).toEqual([2, 2]);
});

async function swept(answers: (Swept | null)[], goesOn = () => true, most = 100): Promise<unknown> {
  const told: unknown[] = [];
  const end = await sweep(most, async () => answers.shift() ?? null, (progress) => told.push([progress.done, progress.left]), goesOn);
  return [told, end];
}

test('many letters are done a part at a time, until none is left', async () => {
  expect(await swept([{ count: 2, left: 3 }, { count: 2, left: 1 }, { count: 1, left: 0 }])).toEqual([[[2, 3], [4, 1], [5, 0]], { done: 5, left: 0, isRefused: false }]);
});

test('it ends when it is stopped, refused, or when nothing moves', async () => {
  expect(await swept([{ count: 2, left: 3 }], () => false)).toMatchObject([[[2, 3]], { done: 2, left: 3, isRefused: false }]);
  expect(await swept([{ count: 2, left: 3 }, null])).toMatchObject([[[2, 3]], { done: 2, left: 3, isRefused: true }]);
  // Those that were retried died again meanwhile.
  expect(await swept([{ count: 2, left: 4 }, { count: 2, left: 4 }, { count: 2, left: 4 }], () => true, 4)).toMatchObject([[[2, 4], [4, 4]], { done: 4, left: 4 }]);
  expect(await swept([{ count: 0, left: 3 }])).toMatchObject([[[0, 3]], { left: 3, isRefused: false }]);
});
