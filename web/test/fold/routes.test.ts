import { expect, test } from 'vitest';
import type { Handler } from '../../src/fold/handler';
import { matches, OTHERS, routesOf } from '../../src/fold/routes';

const one = (name: string, types: string[], returns: string[] = []): Handler => ({ name, role: 'handler', state: 'running', pending: 0, done: 0, dead: 0, skipped: 0, types, returns });
const map = (...handlers: { name: string; in: [string, number][]; out: [string, number][] }[]) => ({
  window_seconds: 3600,
  handlers: handlers.map(({ name, ...sides }) => ({ name, in: sides.in.map(([type, count]) => ({ type, count })), out: sides.out.map(([type, count]) => ({ type, count })) })),
});

test('what was seen is a line, what may come is an idle one', () => {
  const routes = routesOf([one('review', ['claude.*', 'other.type'], ['work.reviewed'])], map({ name: 'review', in: [['claude.stop', 7], ['claude.start', 2]], out: [['work.reviewed', 5]] }));
  expect(routes.lines.map(({ type, side, count }) => [type, side, count])).toEqual([['claude.stop', 'in', 7], ['claude.start', 'in', 2], ['other.type', 'in', 0], ['work.reviewed', 'out', 5]]);
  expect(routes.handlers).toMatchObject([{ name: 'review', count: 9 }]);
  expect(routes.types.map((node) => node.name)).toEqual(['claude.start', 'claude.stop', 'other.type']);
});

test('a line ends where its type and its handler stand, and is wider the more flows', () => {
  const routes = routesOf([one('a', []), one('b', [])], map({ name: 'a', in: [['x', 1000]], out: [] }, { name: 'b', in: [['x', 1]], out: [['y', 1]] }));
  const y = (nodes: readonly { name: string; y: number }[], name: string) => nodes.find((node) => node.name === name)?.y;
  for (const line of routes.lines) {
    const ends = [y(line.side === 'in' ? routes.types : routes.returned, line.type), y(routes.handlers, line.handler)];
    expect(line.side === 'in' ? [line.from, line.to] : [line.to, line.from]).toEqual(ends);
  }
  const [wide, thin] = routes.lines;
  expect(wide!.width).toBeGreaterThan(thin!.width);
  expect(routes.handlers.every((node) => node.y > 0 && node.y < routes.height)).toBe(true);
});

test('many types are a few rows, and none of their events is lost', () => {
  const flows = Array.from({ length: 500 }, (_, n): [string, number] => [`t${n}`, n + 1]);
  const routes = routesOf([one('a', ['*'])], map({ name: 'a', in: flows, out: [] }));
  expect(routes.types).toHaveLength(24);
  expect(routes.types.at(-1)?.name).toBe(OTHERS);
  expect(routes.lines.reduce((sum, line) => sum + line.count, 0)).toBe((500 * 501) / 2);
});

test('before anything is known, the map says what is declared', () => {
  expect(routesOf([one('a', ['x.*'], ['y'])], null).lines.map((line) => [line.type, line.count])).toEqual([['x.*', 0], ['y', 0]]);
  expect(routesOf([], null)).toMatchObject({ lines: [], height: 0 });
});

test('a star stands for anything, once or often', () => {
  const yes = [['a', 'a'], ['*', 'a.b'], ['a.*', 'a.b'], ['*.b', 'a.b'], ['a.*.c', 'a.b.c'], ['a*', 'a'], ['*b*', 'abc']];
  const no = [['a', 'ab'], ['a.*', 'a'], ['ab*ba', 'aba'], ['a*b*c', 'acb'], ['', 'a']];
  for (const [pattern, type] of yes) expect(matches(pattern!, type!), `${pattern} ${type}`).toBe(true);
  for (const [pattern, type] of no) expect(matches(pattern!, type!), `${pattern} ${type}`).toBe(false);
});
