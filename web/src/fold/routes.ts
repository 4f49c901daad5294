/** Which types of events went into which handlers, and what came out: rows of three columns and the lines between them. */
import type { Handler } from './handler';

export interface Flow {
  type: string;
  count: number;
}

export interface FlowMap {
  window_seconds: number;
  handlers: { name: string; in: Flow[]; out: Flow[] }[];
}

export interface Node {
  name: string;
  /** Events in the window: those that went in or came out, of a handler those that it took. */
  count: number;
  y: number;
}

export interface Line {
  handler: string;
  type: string;
  side: 'in' | 'out';
  /** None in the window: it only may flow. */
  count: number;
  /** Heights of the line's two ends. */
  from: number;
  to: number;
  /** In pixels. */
  width: number;
}

export interface Routes {
  types: Node[];
  handlers: Node[];
  returned: Node[];
  lines: Line[];
  height: number;
}

/** Types on a side, at most; the rarer ones share the last row. */
const MOST = 24;
const ROW = 30;
const WIDEST = 6;
export const OTHERS = 'other types';

interface Edge {
  handler: string;
  type: string;
  side: 'in' | 'out';
  count: number;
}

export function routesOf(handlers: readonly Handler[], map: FlowMap | null): Routes {
  const edges = folded(handlers.flatMap((handler) => edgesOf(handler, map)));
  const columns = {
    types: column(edges.filter((edge) => edge.side === 'in')),
    returned: column(edges.filter((edge) => edge.side === 'out')),
    handlers: handlers.map((one) => ({ name: one.name, count: taken(edges, one.name), y: 0 })),
  };
  const rows = Math.max(columns.types.length, columns.handlers.length, columns.returned.length);
  const height = rows * ROW;
  for (const nodes of Object.values(columns)) spread(nodes, height);
  const most = Math.max(1, ...edges.map((edge) => edge.count));
  const y = (nodes: readonly Node[], name: string) => nodes.find((node) => node.name === name)?.y ?? 0;
  const lines = edges.map((edge): Line => {
    const [type, handler] = [y(edge.side === 'in' ? columns.types : columns.returned, edge.type), y(columns.handlers, edge.handler)];
    const [from, to] = edge.side === 'in' ? [type, handler] : [handler, type];
    return { ...edge, from, to, width: edge.count === 0 ? 1 : 1 + (WIDEST - 1) * (Math.log1p(edge.count) / Math.log1p(most)) };
  });
  return { ...columns, lines, height };
}

/** What was seen in the window, and what was not seen but may be: an exact type without an event, a pattern that met none. */
function edgesOf(handler: Handler, map: FlowMap | null): Edge[] {
  const seen = map?.handlers.find((one) => one.name === handler.name);
  const side = (side: 'in' | 'out', flows: readonly Flow[], declared: readonly string[]): Edge[] => [
    ...flows.map(({ type, count }) => ({ handler: handler.name, type, side, count })),
    ...declared.filter((pattern) => !flows.some(({ type }) => matches(pattern, type))).map((type) => ({ handler: handler.name, type, side, count: 0 })),
  ];
  return [...side('in', seen?.in ?? [], handler.types ?? []), ...side('out', seen?.out ?? [], handler.returns ?? [])];
}

/** A pattern's `*` stands for anything. */
export function matches(pattern: string, type: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === type;
  const last = rest.pop() ?? '';
  if (!type.startsWith(first) || type.length < first.length + last.length || !type.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = type.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= type.length - last.length;
}

function folded(edges: readonly Edge[]): Edge[] {
  const kept = { in: commonest(edges, 'in'), out: commonest(edges, 'out') };
  const found = new Map<string, Edge>();
  for (const edge of edges) {
    const type = kept[edge.side].has(edge.type) ? edge.type : OTHERS;
    const key = JSON.stringify([edge.handler, edge.side, type]);
    const known = found.get(key);
    if (known) known.count += edge.count;
    else found.set(key, { ...edge, type });
  }
  return [...found.values()];
}

function totals(edges: readonly Edge[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const edge of edges) counts.set(edge.type, (counts.get(edge.type) ?? 0) + edge.count);
  return counts;
}

function commonest(edges: readonly Edge[], side: 'in' | 'out'): Set<string> {
  const counts = [...totals(edges.filter((edge) => edge.side === side))].sort((left, right) => right[1] - left[1] || left[0].localeCompare(right[0]));
  return new Set(counts.slice(0, counts.length > MOST ? MOST - 1 : MOST).map(([type]) => type));
}

/** In the order of their names, so that nothing moves when a count does. */
function column(edges: readonly Edge[]): Node[] {
  const others = (name: string) => (name === OTHERS ? 1 : 0);
  return [...totals(edges)]
    .sort((left, right) => others(left[0]) - others(right[0]) || left[0].localeCompare(right[0]))
    .map(([name, count]) => ({ name, count, y: 0 }));
}

function taken(edges: readonly Edge[], handler: string): number {
  return edges.filter((edge) => edge.handler === handler && edge.side === 'in').reduce((sum, edge) => sum + edge.count, 0);
}

function spread(nodes: Node[], height: number): void {
  nodes.forEach((node, index) => (node.y = ((index + 0.5) / nodes.length) * height));
}
