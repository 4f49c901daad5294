/** A profile's spans as a flame graph that hangs: time to the right, what was part of what downwards. */

export interface ProfileSpan {
  id: string;
  parent: string | null;
  name: string;
  /** What it was about; may be missing. */
  detail?: string;
  kind: string;
  at: string;
  until: string;
  ms: number;
  failed: boolean;
  /** No end of it is on the log. */
  open?: boolean;
}

export interface Flake {
  span: ProfileSpan;
  x: number;
  width: number;
  row: number;
}

export interface Flame {
  flakes: Flake[];
  rows: number;
  from: number;
  to: number;
}

/** Narrower ones are not drawn, in pixels. */
const NARROWEST = 0.5;
/** Spans that are drawn, at most. */
const MOST = 4_000;
/** A parent that is its own ancestor would never end. */
const DEEPEST = 40;

/** Of the span `root`, over the whole width; of all of them when it is empty. */
export function flameOf(spans: readonly ProfileSpan[], root: string, width: number): Flame {
  const known = new Map(spans.map((span) => [span.id, span]));
  const children = new Map<string, ProfileSpan[]>();
  for (const span of known.values()) {
    const parent = span.parent !== null && known.has(span.parent) && span.parent !== span.id ? span.parent : '';
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const chosen = spans.find((span) => span.id === root);
  const tops = chosen ? [chosen] : (children.get('') ?? []);
  const from = Math.min(...tops.map(start));
  const to = Math.max(from + 1, ...tops.map(end));
  const scale = width / (to - from);
  const flakes: Flake[] = [];
  const ends: number[] = [];

  const height = (span: ProfileSpan, depth: number): number => (depth > DEEPEST ? 1 : 1 + Math.max(0, ...(children.get(span.id) ?? []).map((child) => height(child, depth + 1))));
  // What runs side by side hangs one below the other.
  const hang = (group: readonly ProfileSpan[], above: number, depth: number): void => {
    if (depth > DEEPEST) return;
    for (const span of [...group].sort((left, right) => start(left) - start(right))) {
      if (flakes.length >= MOST || (end(span) - start(span)) * scale < NARROWEST) continue;
      const tall = height(span, depth);
      let row = above;
      while (ends.slice(row, row + tall).some((until) => until > start(span))) row += 1;
      flakes.push({ span, x: (start(span) - from) * scale, width: Math.max(1, (end(span) - start(span)) * scale), row });
      ends[row] = end(span);
      for (let index = 0; index < row; index += 1) ends[index] ??= -Infinity;
      hang(children.get(span.id) ?? [], row + 1, depth + 1);
    }
  };
  hang(tops, 0, 0);
  return { flakes, rows: Math.max(0, ...flakes.map((flake) => flake.row + 1)), from, to };
}

function start(span: ProfileSpan): number {
  return Date.parse(span.at);
}

function end(span: ProfileSpan): number {
  return Math.max(start(span), Date.parse(span.until) || start(span) + span.ms);
}

/** Up to the outermost, the outermost first. */
export function trail(spans: readonly ProfileSpan[], id: string): ProfileSpan[] {
  const byId = new Map(spans.map((span) => [span.id, span]));
  const found: ProfileSpan[] = [];
  for (let span = byId.get(id); span && found.length < DEEPEST && !found.includes(span); span = byId.get(span.parent ?? '')) found.unshift(span);
  return found;
}

/** The neighbour that an arrow key leads to. */
export function neighbour(flame: Flame, id: string, key: string): Flake | undefined {
  const from = flame.flakes.find((flake) => flake.span.id === id);
  if (!from) return flame.flakes[0];
  if (key === 'ArrowUp') return flame.flakes.find((flake) => flake.span.id === from.span.parent);
  if (key === 'ArrowDown') return flame.flakes.find((flake) => flake.span.parent === id);
  const beside = flame.flakes.filter((flake) => flake.span.parent === from.span.parent).sort((left, right) => left.x - right.x || left.row - right.row);
  return beside[beside.indexOf(from) + (key === 'ArrowRight' ? 1 : -1)];
}
