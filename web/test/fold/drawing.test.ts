import { expect, test } from 'vitest';
import { flameOf, neighbour, type ProfileSpan, trail } from '../../src/fold/flame';
import { type Causes, draw } from '../../src/fold/graph';

const span = (id: string, parent: string | null, from: number, to: number): ProfileSpan => ({ id, parent, name: id, kind: 'tool', at: new Date(from).toISOString(), until: new Date(to).toISOString(), ms: to - from, failed: false });
const SPANS = [span('root', null, 0, 1_000), span('a', 'root', 0, 400), span('b', 'root', 300, 900), span('a1', 'a', 100, 350), span('b1', 'b', 400, 500), span('lost', 'nobody', 950, 1_000)];

test('a span hangs below what it was part of, and none lies on another', () => {
  const flame = flameOf(SPANS, '', 1_000);
  for (const one of flame.flakes) {
    for (const other of flame.flakes) {
      if (one !== other && one.row === other.row) expect(one.x + one.width <= other.x || other.x + other.width <= one.x, `${one.span.id} on ${other.span.id}`).toBe(true);
    }
    const parent = flame.flakes.find((other) => other.span.id === one.span.parent);
    if (parent) expect(one.row).toBeGreaterThan(parent.row);
  }
  expect(flame.flakes).toHaveLength(6);
});

test('zoomed, a span takes the whole width, and the way back is told', () => {
  const flame = flameOf(SPANS, 'b', 600);
  expect(flame.flakes.map((one) => [one.span.id, one.x, one.width])).toEqual([['b', 0, 600], ['b1', 100, 100]]);
  expect(trail(SPANS, 'b1').map((one) => one.id)).toEqual(['root', 'b', 'b1']);
});

test('arrow keys go to the parent, the first child and the neighbours', () => {
  const flame = flameOf(SPANS, '', 1_000);
  const to = (id: string, key: string) => neighbour(flame, id, key)?.span.id;
  expect([to('a', 'ArrowUp'), to('a', 'ArrowDown'), to('a', 'ArrowRight'), to('b', 'ArrowLeft'), to('a', 'ArrowLeft')]).toEqual(['root', 'a1', 'b', 'a', undefined]);
});

test('spans that are their own ancestors end', () => {
  expect(flameOf([span('x', 'y', 0, 10), span('y', 'x', 0, 10), span('top', null, 0, 10)], '', 100).flakes.map((one) => one.span.id)).toEqual(['top']);
  expect(trail([span('x', 'y', 0, 10), span('y', 'x', 0, 10)], 'x')).toHaveLength(2);
});

const node = (id: string, position: number, relation: 'cause' | 'self' | 'effect') => ({ id, type: 'T', at: '', position, stream: 'issue/A', sequence: position, relation, depth: 0 });
const edge = (from: string, to: string) => ({ from, to, kind: 'causation' as const });

test('causes stand above, effects below, and no edge runs through another event', () => {
  const causes: Causes = {
    event: 'd', truncated: false, nodes: [node('d', 4, 'self'), node('a', 1, 'cause'), node('b', 2, 'cause'), node('c', 3, 'cause'), node('e', 5, 'effect'), node('f', 6, 'effect')],
    edges: [edge('a', 'b'), edge('a', 'd'), edge('b', 'c'), edge('c', 'd'), edge('d', 'e'), edge('d', 'f')],
  };
  const drawing = draw(causes);
  expect(drawing.knots.map((knot) => knot.node.id)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  expect(drawing.lines).toHaveLength(6);
  expect(drawing.lines.filter((line) => line.isFuture)).toHaveLength(2);
  // From a to d past b and c: on a lane that neither stands on.
  const past = drawing.lines.find((line) => line.path.startsWith('M12 14C'));
  expect(past?.path).toMatch(/^M12 14C\S+ \S+ (\d+) .* \1 34V/);
  expect(drawing.knots.every((knot) => knot.lane < drawing.lanes)).toBe(true);
});

test('an event alone is a drawing of one', () => {
  expect(draw({ event: 'a', nodes: [node('a', 1, 'self')], edges: [], truncated: false })).toMatchObject({ lanes: 1, lines: [], knots: [{ lane: 0 }] });
});
