/** Causes above, effects below: one event a row, edges at the left as in a graph of commits. */

export interface CauseNode {
  id: string;
  type: string;
  at: string;
  position: number;
  stream: string;
  sequence: number;
  actor?: string | null;
  summary?: string | null;
  /** Where the event stands in a graph; what is told without one has neither. */
  relation?: 'cause' | 'self' | 'effect' | 'correlated';
  depth?: number;
}

export interface CauseEdge {
  from: string;
  to: string;
  kind: 'causation' | 'trace' | 'correlation';
  /** Ids of several sources may be the same; positions are not. */
  from_position?: number;
  to_position?: number;
}

/** Answer of `GET /api/causes/{id}`. */
export interface Causes {
  event: string;
  nodes: CauseNode[];
  edges: CauseEdge[];
  truncated: boolean;
}

export interface Knot {
  node: CauseNode;
  lane: number;
  row: number;
}

export interface Line {
  path: string;
  kind: CauseEdge['kind'];
  /** It leads to something that is later than the event. */
  isFuture: boolean;
}

export interface Drawing {
  knots: Knot[];
  lines: Line[];
  lanes: number;
}

export const ROW = 27;
const LANE = 18;
const MOST_LANES = 6;

export function xOfLane(lane: number): number {
  return 12 + lane * LANE;
}

export function yOfRow(row: number): number {
  return 14 + row * ROW;
}

export function draw(causes: Causes): Drawing {
  const nodes = [...causes.nodes].sort((left, right) => left.position - right.position);
  const rows = new Map(nodes.map((node, row) => [node.position, row]));
  const ids = new Map(nodes.map((node) => [node.id, node.position]));
  const self = Math.max(0, nodes.findIndex((node) => (node.relation ? node.relation === 'self' : node.id === causes.event)));
  const links = causes.edges.flatMap((edge) => {
    const [from, to] = [rows.get(edge.from_position ?? ids.get(edge.from) ?? 0), rows.get(edge.to_position ?? ids.get(edge.to) ?? 0)];
    return from === undefined || to === undefined || from >= to ? [] : [{ from, to, kind: edge.kind }];
  });
  const taken = Array.from({ length: MOST_LANES }, () => new Set<number>());
  const free = (lane: number, from: number, to: number): boolean => {
    for (let row = from; row <= to; row += 1) if (taken[lane]?.has(row)) return false;
    return true;
  };
  const take = (lane: number, from: number, to: number): void => {
    for (let row = from; row <= to; row += 1) taken[lane]?.add(row);
  };
  const choose = (from: number, to: number, liked: readonly number[]): number => {
    const order = [...liked, ...taken.map((_, lane) => lane)];
    return order.find((lane) => free(lane, from, to)) ?? MOST_LANES - 1;
  };
  const lanes: number[] = [];
  const lines: Line[] = [];
  nodes.forEach((_, row) => {
    const above = links.filter((link) => link.to === row).sort((left, right) => right.from - left.from);
    const nearest = above[0];
    const lane = nearest ? choose(nearest.from + 1, row, [lanes[nearest.from] ?? 0]) : choose(row, row, []);
    lanes.push(lane);
    above.forEach((link, index) => {
      const start = lanes[link.from] ?? 0;
      const via = index === 0 ? lane : choose(link.from + 1, row - 1, [start, lane]);
      take(via, link.from + 1, row - 1);
      lines.push({ path: route(start, link.from, via, lane, row), kind: link.kind, isFuture: row > self });
    });
    take(lane, row, row);
  });
  const knots = nodes.map((node, row) => ({ node, lane: lanes[row] ?? 0, row }));
  return { knots, lines, lanes: Math.max(0, ...lanes) + 1 };
}

/** Down a lane of its own, with a bend where it leaves one event and one where it meets the other. */
function route(start: number, from: number, via: number, lane: number, row: number): string {
  const [x0, y0, x1, x2, y2] = [xOfLane(start), yOfRow(from), xOfLane(via), xOfLane(lane), yOfRow(row)];
  const out = x0 === x1 ? '' : `C${x0} ${y0 + 13} ${x1} ${y0 + 4} ${x1} ${y0 + 20}`;
  const into = x1 === x2 ? `V${y2}` : `V${y2 - 20}C${x1} ${y2 - 4} ${x2} ${y2 - 13} ${x2} ${y2}`;
  return `M${x0} ${y0}${out}${into}`;
}
