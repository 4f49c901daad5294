/** Lanes on a time axis: where each call stands, with idle time folded. All in pixels but for the times. */
import type { Call } from './call';
import type { Session } from './session';

/** Stretches between turns that are longer than this are folded, in milliseconds. */
const IDLE_MS = 1_500;
const FOLD_WIDTH = 26;
/** A wait for a person is drawn at most so wide when folded: its length says nothing about the work. */
const WAIT_WIDTH = 110;
const NARROWEST = 7;
const BAR = 16;
const STEP = 20;

export interface Stretch {
  from: number;
  to: number;
  x: number;
  width: number;
  kind: 'busy' | 'wait' | 'idle';
}

export interface Axis {
  stretches: Stretch[];
  width: number;
}

export interface Bar {
  call: Call;
  x: number;
  width: number;
  y: number;
  /** From where on it waited for a person; null when it never did. */
  waitX: number | null;
  waitWidth: number;
  label: string;
  labelX: number;
  /** Null when there is no room for it. */
  labelY: number | null;
}

export interface Lane {
  id: string;
  name: string;
  sub: string;
  y: number;
  height: number;
  fromX: number;
  toX: number;
  middle: number;
  bars: Bar[];
  requests: { x: number; width: number; y: number }[];
  /** The elbow from the call that started it. */
  spawn: string;
}

interface Busy {
  from: number;
  to: number;
  waits: boolean;
}

/** Where everything that happens takes time. */
function busyOf(session: Session, now: number): Busy[] {
  const found: Busy[] = [];
  for (const call of session.calls.values()) {
    const end = call.endedAt ?? now;
    if (call.askedAt === null) {
      found.push({ from: call.startedAt, to: end, waits: false });
      continue;
    }
    const answered = call.answeredAt ?? end;
    found.push({ from: call.startedAt, to: call.askedAt, waits: false });
    found.push({ from: call.askedAt, to: answered, waits: true });
    found.push({ from: answered, to: end, waits: false });
  }
  for (const turn of session.turns) {
    found.push({ from: turn.startedAt, to: turn.startedAt, waits: false });
    if (turn.endedAt !== null) found.push({ from: turn.endedAt, to: turn.endedAt, waits: false });
  }
  for (const request of session.requests) found.push({ from: request.at - request.durationMs, to: request.at, waits: false });
  return found;
}

/** Maps time to the width; folded, stretches in which nothing happens are narrow, however long. */
export function axisOf(session: Session, now: number, width: number, isFolded: boolean): Axis {
  const busy = busyOf(session, now);
  const marks = [...new Set(busy.flatMap((one) => [one.from, one.to]))].sort((left, right) => left - right);
  const raw: Stretch[] = [];
  for (let index = 0; index + 1 < marks.length; index += 1) {
    const from = marks[index] ?? 0;
    const to = marks[index + 1] ?? from;
    const inTurn = session.turns.some((turn) => turn.startedAt <= from && (turn.endedAt ?? now) >= to);
    const within = busy.filter((one) => one.from <= from && one.to >= to);
    const kind = within.some((one) => !one.waits) ? 'busy' : within.length > 0 ? 'wait' : !inTurn && to - from > IDLE_MS ? 'idle' : 'busy';
    const last = raw.at(-1);
    if (last && last.kind === kind) last.to = to;
    else raw.push({ from, to, x: 0, width: 0, kind });
  }
  return { stretches: spread(raw, width, isFolded), width };
}

function spread(stretches: Stretch[], width: number, isFolded: boolean): Stretch[] {
  const isFixed = (one: Stretch): boolean => isFolded && one.kind !== 'busy';
  const busyMs = stretches.filter((one) => !isFixed(one)).reduce((sum, one) => sum + one.to - one.from, 0);
  const fixed = (one: Stretch): number => (one.kind === 'idle' ? FOLD_WIDTH : WAIT_WIDTH);
  const wanted = stretches.filter(isFixed).reduce((sum, one) => sum + fixed(one), 0);
  // What is folded never takes more than half of the room.
  const shrink = wanted > width / 2 ? width / 2 / wanted : 1;
  const scale = (width - wanted * shrink) / Math.max(1, busyMs);
  let x = 0;
  for (const one of stretches) {
    one.x = x;
    one.width = isFixed(one) ? fixed(one) * shrink : (one.to - one.from) * scale;
    x += one.width;
  }
  return stretches;
}

export function xOf(axis: Axis, at: number): number {
  const first = axis.stretches[0];
  if (!first || at <= first.from) return 0;
  const inside = axis.stretches.find((one) => at <= one.to);
  if (!inside) return axis.width;
  return inside.x + ((at - inside.from) / Math.max(1, inside.to - inside.from)) * inside.width;
}

/** The moment at a place of the axis. */
export function timeAt(axis: Axis, x: number): number {
  const inside = axis.stretches.find((one) => x <= one.x + one.width) ?? axis.stretches.at(-1);
  if (!inside) return 0;
  return inside.from + ((x - inside.x) / Math.max(1e-6, inside.width)) * (inside.to - inside.from);
}

/** The session's own lane, then one for each subagent, from `top` down. */
export function lanesOf(session: Session, axis: Axis, now: number, top: number): Lane[] {
  const lanes = [laneOf(session, axis, now, '', session.agent, session.model.replace(/^claude-/, ''), top)];
  for (const agent of session.subagents.values()) {
    const above = lanes.at(-1);
    const lane = laneOf(session, axis, now, agent.id, agent.type || 'subagent', agent.id.slice(0, 8), above ? above.y + above.height : top);
    lane.fromX = xOf(axis, agent.startedAt);
    lane.toX = xOf(axis, agent.endedAt ?? now);
    const parent = lanes[0]?.bars.find((bar) => bar.call.id === agent.callId);
    if (parent) {
      const x = parent.x + 4;
      lane.spawn = `M${x} ${parent.y + BAR}V${lane.middle - 4}q0 4 4 4H${Math.max(x + 6, lane.fromX)}`;
    }
    lanes.push(lane);
  }
  return lanes;
}

function laneOf(session: Session, axis: Axis, now: number, id: string, name: string, sub: string, y: number): Lane {
  const calls = [...session.calls.values()].filter((call) => call.agentId === id).sort((left, right) => left.startedAt - right.startedAt);
  const ends: number[] = [];
  const bars = calls.map((call) => {
    const x = xOf(axis, call.startedAt);
    const width = Math.max(NARROWEST, xOf(axis, call.endedAt ?? now) - x);
    // Calls side by side stand below each other.
    let row = ends.findIndex((end) => end <= x);
    if (row < 0) row = ends.length;
    ends[row] = x + width + 1;
    return barOf(call, axis, now, x, width, y + 40 + row * STEP);
  });
  placeLabels(bars, y, axis.width);
  const rows = Math.max(1, ends.length);
  const requestsY = y + 40 + rows * STEP + 2;
  const requests = session.requests
    .filter((request) => request.agentId === id)
    .map((request) => {
      const from = xOf(axis, request.at - request.durationMs);
      return { x: from, width: Math.max(5, xOf(axis, request.at) - from), y: requestsY };
    });
  const height = 48 + rows * STEP + (requests.length > 0 ? 8 : 0);
  return { id, name, sub, y, height, fromX: 0, toX: axis.width, middle: y + 40 + BAR / 2, bars, requests, spawn: '' };
}

function barOf(call: Call, axis: Axis, now: number, x: number, width: number, y: number): Bar {
  const waitX = call.askedAt === null ? null : xOf(axis, call.askedAt);
  const waitWidth = waitX === null ? 0 : Math.max(4, xOf(axis, call.answeredAt ?? call.endedAt ?? now) - waitX);
  return { call, x, width: waitX === null ? width : Math.max(width, waitX + waitWidth - x), y, waitX, waitWidth, label: call.tool, labelX: x, labelY: null };
}

/** A name stands above its bar, on a second line when it would touch the one before, and nowhere when there is no room. */
function placeLabels(bars: Bar[], y: number, end: number): void {
  const ends = [-Infinity, -Infinity];
  const firstRow = bars.filter((bar) => bar.y === y + 40);
  for (const bar of firstRow) {
    const twins = bars.filter((other) => other.call.batch !== 0 && other.call.batch === bar.call.batch && other.call.tool === bar.call.tool);
    if (twins.length > 1) bar.label = `${bar.call.tool} ×${twins.length}`;
    const width = bar.label.length * 6.4 + 6;
    bar.labelX = Math.max(0, Math.min(bar.x, end + 12 - width));
    const line = ends.findIndex((end) => end <= bar.labelX);
    if (line < 0) continue;
    ends[line] = bar.labelX + width;
    bar.labelY = line === 0 ? y + 34 : y + 19;
  }
}

/** What was spent, as steps from the lower left to the upper right of a box. */
export function costSteps(session: Session, axis: Axis, y: number, height: number): string {
  const spent = [...session.requests].filter((request) => request.costUsd !== null).sort((left, right) => left.at - right.at);
  const all = spent.reduce((sum, request) => sum + (request.costUsd ?? 0), 0);
  if (all === 0) return '';
  let sum = 0;
  let path = `M0 ${(y + height).toFixed(1)}`;
  for (const request of spent) {
    sum += request.costUsd ?? 0;
    path += `H${xOf(axis, request.at).toFixed(1)}V${(y + height - (sum / all) * height).toFixed(1)}`;
  }
  return `${path}H${axis.width}`;
}

/** Tries of one thing, as numbered knots on a line. */
export interface Chain {
  label: string;
  knots: { x: number; number: number; ok: boolean; barX: number; barY: number; id: string }[];
}

export function chainsOf(lanes: readonly Lane[]): Chain[] {
  const chains: Chain[] = [];
  for (const bar of lanes.flatMap((lane) => lane.bars)) {
    if (bar.call.attempts < 2) continue;
    const knot = {
      x: bar.x + Math.min(bar.width, 12) / 2,
      number: bar.call.attempt,
      ok: bar.call.state === 'done',
      barX: bar.x,
      barY: bar.y,
      id: bar.call.id,
    };
    if (bar.call.attempt === 1) {
      const said = bar.call.input as { description?: unknown } | undefined;
      const name = typeof said?.description === 'string' ? said.description : bar.call.tool;
      chains.push({ label: name, knots: [knot] });
    } else chains.at(-1)?.knots.push(knot);
  }
  for (const chain of chains) {
    const last = chain.knots.at(-1);
    if (last) chain.label = `“${chain.label}”, ${last.ok ? `passed at attempt ${last.number}` : `failed ${last.number} times`}`;
  }
  return chains.filter((chain) => chain.knots.length > 1);
}
