/** Where the events of a stream stand on its scrubber: in their order, further apart the longer it took between them,
 * each with a little room of its own, and long idle times folded. */

export interface Mark {
  sequence: number;
  position: number;
  at: string;
}

export interface Bucket {
  from: number;
  to: number;
  at: string;
  until: string;
  events: number;
  changes: number;
  failures: number;
}

/** Answer of `GET /api/state/…/overview`. */
export interface StreamOverview {
  stream: string;
  projection: string;
  first: Mark | null;
  last: Mark | null;
  buckets: Bucket[];
  bands: { name: string; from: number; to: number }[];
  active: { sequence: number; count: number }[];
}

interface Knot {
  sequence: number;
  at: number;
  x: number;
}

export interface Fold {
  x: number;
  width: number;
  ms: number;
}

export interface Track {
  width: number;
  first: number;
  last: number;
  knots: Knot[];
  folds: Fold[];
}

/** This part of the width goes to events alike, the rest by time. */
const EVEN = 0.4;
/** A pause is drawn no longer than so many usual ones, and is a fold when it is also longer than this, in milliseconds. */
const LONGEST_PAUSE = 8;
const FOLDED_MS = 600_000;

export function trackOf(overview: StreamOverview, width: number): Track {
  const first = overview.first?.sequence ?? 1;
  const last = Math.max(first, overview.last?.sequence ?? first);
  const steps = stepsOf(overview, first);
  const total = steps.reduce((sum, step) => sum + step.ms, 0);
  const cap = Math.max(1, (total / Math.max(1, steps.length)) * LONGEST_PAUSE, median(steps.map((step) => step.ms)) * LONGEST_PAUSE);
  const limited = (step: Step): number => Math.min(step.ms, Math.min(cap, FOLDED_MS * 3) * Math.max(1, step.events));
  const room = Math.max(1, steps.reduce((sum, step) => sum + limited(step), 0));
  const knots: Knot[] = [];
  const folds: Fold[] = [];
  let x = 0;
  for (const step of steps) {
    const share = (EVEN * step.events) / Math.max(1, last - first) + ((1 - EVEN) * limited(step)) / room;
    const wide = share * width;
    if (step.events <= 1 && step.ms > FOLDED_MS && limited(step) < step.ms && wide > 24) folds.push({ x, width: wide, ms: step.ms });
    x += wide;
    knots.push({ sequence: step.sequence, at: step.at, x });
  }
  const scale = x > 0 ? width / x : 1;
  for (const one of knots) one.x *= scale;
  for (const fold of folds) [fold.x, fold.width] = [fold.x * scale, fold.width * scale];
  return { width, first, last, knots, folds };
}

interface Step {
  sequence: number;
  at: number;
  /** Since the step before. */
  ms: number;
  events: number;
}

function stepsOf(overview: StreamOverview, first: number): Step[] {
  const points = overview.buckets.flatMap((bucket) => [
    { sequence: bucket.from, at: Date.parse(bucket.at) },
    ...(bucket.to > bucket.from ? [{ sequence: bucket.to, at: Date.parse(bucket.until) }] : []),
  ]);
  let before = { sequence: first, at: points[0]?.at ?? 0 };
  return points.map((point) => {
    // A clock that was set back does not lead backwards.
    const at = Math.max(before.at, Number.isNaN(point.at) ? before.at : point.at);
    const step = { sequence: point.sequence, at, ms: at - before.at, events: point.sequence - before.sequence };
    before = { sequence: point.sequence, at };
    return step;
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Between two knots as far as its share of them; a lone event stands in the middle. */
function between(track: Track, value: number, from: (knot: Knot) => number, to: (knot: Knot) => number): number {
  const { knots } = track;
  const [head, tail] = [knots[0], knots.at(-1)];
  if (!head || !tail) return 0;
  if (value <= from(head)) return to(head);
  if (value >= from(tail)) return to(tail);
  const end = knots.findIndex((knot) => from(knot) >= value);
  const [left, right] = [knots[end - 1] ?? head, knots[end] ?? tail];
  const span = from(right) - from(left);
  return span <= 0 ? to(right) : to(left) + ((value - from(left)) / span) * (to(right) - to(left));
}

export function xOfEvent(track: Track, sequence: number): number {
  return track.last === track.first ? track.width / 2 : between(track, sequence, (knot) => knot.sequence, (knot) => knot.x);
}

export function eventAt(track: Track, x: number): number {
  return Math.round(between(track, x, (knot) => knot.x, (knot) => knot.sequence));
}

export function xOfTime(track: Track, at: number): number {
  return between(track, at, (knot) => knot.at, (knot) => knot.x);
}

export function timeOfEvent(track: Track, sequence: number): number {
  return between(track, sequence, (knot) => knot.sequence, (knot) => knot.at);
}

export interface Tick {
  x: number;
  at: number;
}

const STEPS_MS = [1_000, 5_000, 15_000, 30_000, 60_000, 300_000, 900_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 604_800_000];
/** Between two ticks, in pixels, at least. */
const APART = 74;

export function ticksOf(track: Track): Tick[] {
  const [from, to] = [track.knots[0]?.at ?? 0, track.knots.at(-1)?.at ?? 0];
  const folded = track.folds.reduce((sum, fold) => sum + fold.ms, 0);
  const wanted = Math.max(1, (to - from - folded) / Math.max(1, track.width / APART));
  const step = STEPS_MS.find((one) => one >= wanted) ?? STEPS_MS.at(-1) ?? 1;
  const offset = new Date(from).getTimezoneOffset() * 60_000;
  const ticks: Tick[] = [];
  const inFold = (x: number): boolean => track.folds.some((fold) => x > fold.x + 2 && x < fold.x + fold.width - 2);
  let at = Math.ceil((from - offset) / step) * step + offset;
  for (let count = 0; at <= to && count < 400; at += step, count += 1) {
    const x = xOfTime(track, at);
    if (x - (ticks.at(-1)?.x ?? -Infinity) < APART || x < 18 || x > track.width - 18 || inFold(x)) continue;
    ticks.push({ x, at });
  }
  return ticks;
}

export interface Band {
  name: string;
  x: number;
  width: number;
  from: number;
  to: number;
}

/** Each band ends where the next begins, with two pixels between them. */
export function bandsOf(overview: StreamOverview, track: Track): Band[] {
  return overview.bands.map((band, index) => {
    const next = overview.bands[index + 1];
    const x = xOfEvent(track, band.from);
    const isNext = next && next.from <= band.to + 1;
    const end = isNext ? xOfEvent(track, next.from) - 2 : xOfEvent(track, band.to);
    return { name: band.name, x, width: Math.max(3, end - x), from: band.from, to: band.to };
  });
}

export interface Bar {
  x: number;
  height: number;
  failures: number;
  /** The event, where the bucket holds one only. */
  sequence: number | null;
}

/** A bar's height says how much of the state changed: eight pixels for one field, by the root when much changes. */
export function barsOf(overview: StreamOverview, track: Track, tallest: number): Bar[] {
  const most = Math.max(1, ...overview.buckets.map((bucket) => bucket.changes));
  const height = (changes: number): number => (most * 8 <= tallest ? changes * 8 : 8 + (tallest - 8) * Math.sqrt(changes / most));
  return overview.buckets.map((bucket) => ({
    x: (xOfEvent(track, bucket.from) + xOfEvent(track, bucket.to)) / 2,
    height: bucket.changes === 0 ? 3 : height(bucket.changes),
    failures: bucket.failures,
    sequence: bucket.from === bucket.to ? bucket.from : null,
  }));
}

/** How many agents are at work, as a line of steps between `top` and `bottom`; empty where none ever was. */
export function traceOf(overview: StreamOverview, track: Track, top: number, bottom: number): string {
  const most = Math.max(0, ...overview.active.map((one) => one.count));
  if (most === 0) return '';
  const y = (count: number): string => (bottom - (count / most) * (bottom - top)).toFixed(1);
  const steps = overview.active.map((one) => `H${xOfEvent(track, one.sequence).toFixed(1)}V${y(one.count)}`);
  return `M0 ${y(0)}${steps.join('')}H${track.width}`;
}

export function activeAt(overview: StreamOverview, sequence: number): number | null {
  if (overview.active.length === 0) return null;
  return overview.active.findLast((one) => one.sequence <= sequence)?.count ?? 0;
}

/** The longest stretch during which the most were at work: where a word about it has room. */
export function busiestOf(overview: StreamOverview, track: Track): Stretch | null {
  const count = Math.max(0, ...overview.active.map((one) => one.count));
  const stretches = overview.active.map((one, index) => {
    const x = xOfEvent(track, one.sequence);
    const next = overview.active[index + 1];
    return { x, width: (next ? xOfEvent(track, next.sequence) : track.width) - x, count: one.count };
  });
  return stretches.filter((one) => one.count === count && count > 0).reduce<Stretch | null>((best, one) => (best && best.width >= one.width ? best : one), null);
}

interface Stretch {
  x: number;
  width: number;
  count: number;
}
