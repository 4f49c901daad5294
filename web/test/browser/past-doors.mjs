// The doors of the past, answered from `past.mjs`.
import { compare, FAILED, fold, PAST, summaryOf } from './past.mjs';

/** Before the first of them stand other events in the log. */
const OFFSET = 41_042;
const ALL = PAST.map((event, index) => ({ ...event, position: OFFSET + index }));
const streamOf = (stream) => ALL.filter((event) => event.subject === stream).map((event, index) => ({ ...event, sequence: String(index + 1).padStart(20, '0') }));
const failed = (event) => /Failed$|^Error/.test(event.type);
const mark = (events, sequence) => ({ sequence, position: events[sequence - 1].position, at: events[sequence - 1].time });
const changes = (before, after) => compare(before, after).map((one) => ({ path: one.path, kind: { add: 'added', remove: 'removed', replace: 'changed' }[one.op], after: one.value }));
const nodeOf = (event, relation, depth) => ({ id: event.id, type: event.type, at: event.time, position: event.position, stream: event.subject, sequence: Number(event.sequence), actor: event.actorid, summary: summaryOf(event), relation, depth });

function overview(stream, events) {
  const states = fold(events);
  const buckets = events.map((event, index) => ({ from: index + 1, to: index + 1, at: event.time, until: event.time, events: 1, changes: compare(states[index - 1] ?? states[0], states[index]).filter((one) => one.path !== '/duration_seconds').length, failures: failed(event) ? 1 : 0 }));
  const begins = events.flatMap((event, index) => (event.type === 'PhaseStarted' ? [index + 1] : []));
  const bands = begins.map((from, index) => ({ name: events[from - 1].data.phase, from, to: (begins[index + 1] ?? events.length + 1) - 1 }));
  const active = states.flatMap((state, index) => (state.active_agents.length === (states[index - 1]?.active_agents.length ?? 0) ? [] : [{ sequence: index + 1, count: state.active_agents.length }]));
  return { stream, projection: 'orchestration', first: mark(events, 1), last: mark(events, events.length), buckets, bands, active };
}

function history(stream, events, query) {
  const states = fold(events);
  const [from, to] = [Number(query.get('from') ?? 1), Number(query.get('to') ?? events.length)];
  const entries = events.slice(from - 1, to).map((event, index) => ({
    sequence: from + index, position: event.position, at: event.time, id: event.id, type: event.type, actor: event.actorid, summary: summaryOf(event), patch: compare(states[from + index - 2] ?? fold([])[0] ?? {}, states[from + index - 1]),
  }));
  return { stream, projection: 'orchestration', entries, next: null };
}

function causes(id) {
  const event = ALL.find((one) => one.id === id);
  const events = streamOf(event.subject);
  const byId = new Map(events.map((one) => [one.id, one]));
  const nodes = new Map([[id, nodeOf(byId.get(id), 'self', 0)]]);
  let above = byId.get(id);
  for (let depth = 1; depth <= 7 && above?.causationid; depth += 1) {
    above = byId.get(above.causationid);
    if (above) nodes.set(above.id, nodeOf(above, 'cause', -depth));
  }
  let level = [id];
  for (let depth = 1; depth <= 3; depth += 1) {
    const below = events.filter((one) => level.includes(one.causationid));
    below.forEach((one) => nodes.set(one.id, nodeOf(one, 'effect', depth)));
    level = below.map((one) => one.id);
  }
  const edges = events.filter((one) => nodes.has(one.id) && nodes.has(one.causationid)).map((one) => ({ from: one.causationid, to: one.id, kind: 'causation' }));
  return { event: id, nodes: [...nodes.values()].sort((left, right) => left.position - right.position), edges, truncated: false };
}

function why(stream, events) {
  const at = (sequence) => nodeOf(events[sequence - 1], 'cause', 0);
  if (stream !== FAILED) return { stream, failed: false, sentence: 'Nothing failed.', failure: null, first_cause: null, chain: [], state_before: null, recoveries: [], next_actions: [] };
  const end = events.length;
  return {
    stream, failed: true, sentence: 'FIX failed because the session store is not there: it began with the integration tests that failed at event 44.', failure: at(end), first_cause: at(44), chain: [44, 45, 46, 47, 58, 61, 63, end].map(at),
    state_before: fold(events)[end - 2], recoveries: [{ id: events[50].id, type: 'RecoveryAttempted', at: events[50].time, strategy: 'another agent', outcome: 'failed', summary: 'code-architect looked for the cause' }],
    next_actions: events.at(-1).data.next_actions,
  };
}

/** Sums of what was made up: forty minutes of work in a day. */
function profile(stream, events) {
  const at = (minutes) => new Date(Date.parse(events[0].time) + minutes * 60_000).toISOString();
  const span = (id, parent, name, kind, from, to, isFailed = false) => ({ id, parent, name, kind, at: at(from), until: at(to), ms: (to - from) * 60_000, failed: isFailed });
  const spans = [
    span('whole', null, 'PROJ-123', 'session', 0, 434), span('explore', 'whole', 'EXPLORE', 'phase', 0.5, 22), span('explorer', 'explore', 'code-explorer', 'agent', 2, 21), span('reader', 'explore', 'doc-reader', 'agent', 4, 19),
    span('plan', 'whole', 'PLAN', 'phase', 22.5, 56), span('planner', 'plan', 'planner', 'agent', 24, 50), span('code', 'whole', 'CODE', 'phase', 56.5, 88), span('architect', 'code', 'react-component-architect', 'agent', 58, 75),
    span('specialist', 'code', 'api-integration-specialist', 'agent', 61, 88), span('unit', 'specialist', 'npm test', 'tool', 79, 81), span('pause', 'whole', 'awaiting a design review', 'wait', 88, 343), span('code-2', 'whole', 'CODE', 'phase', 343, 381),
    span('architect-2', 'code-2', 'react-component-architect', 'agent', 344, 369), span('edit', 'architect-2', 'Edit login.tsx', 'tool', 346, 351), span('ask', 'architect-2', 'claude-opus-4-5', 'request', 351, 358), span('test', 'whole', 'TEST', 'phase', 381.5, 401, true),
    span('writer', 'test', 'test-writer-fixer', 'agent', 383, 400.5, true), span('integration', 'writer', 'npm run test:integration', 'tool', 396, 398.6, true), span('fix', 'whole', 'FIX', 'phase', 403, 433, true), span('fixer', 'fix', 'code-architect', 'agent', 405, 429, true),
    span('integration-2', 'fixer', 'npm run test:integration', 'tool', 419, 421, true),
  ];
  const wall = 434 * 60_000;
  const path = ['explorer', 'planner', 'specialist', 'pause', 'architect-2', 'writer', 'fixer'].map((id) => spans.find((one) => one.id === id));
  return {
    stream, from: at(0), until: at(434), wall_ms: wall, active_ms: 150 * 60_000, waiting_for_people_ms: 255 * 60_000, idle_ms: 29 * 60_000, cost_usd: 3.4182, events: events.length,
    by_model: [{ name: 'claude-opus-4-5', requests: 41, ms: 620_000, cost_usd: 2.91 }, { name: 'claude-haiku-4-5', requests: 87, ms: 240_000, cost_usd: 0.5082 }],
    by_tool: [{ name: 'Bash', calls: 31, failures: 4, ms: 512_000, share: 0.41 }, { name: 'Edit', calls: 22, failures: 0, ms: 300_000, share: 0.24 }, { name: 'Read', calls: 64, failures: 1, ms: 61_000, share: 0.05 }],
    by_agent: [{ name: 'react-component-architect', ms: 2_520_000, cost_usd: 1.41, calls: 38 }, { name: 'code-architect', ms: 1_440_000, cost_usd: 0.9, calls: 22 }, { name: 'doc-reader', ms: 900_000, cost_usd: null, calls: 9 }],
    critical_path: path.map((one) => ({ name: one.name, kind: one.kind, at: one.at, ms: one.ms, share: one.ms / wall, id: one.id })), spans,
  };
}

const matches = (pattern, event) => event.id === pattern || new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(event.type);

function whatIf(stream, events, body) {
  const until = body.until ? events.filter((event) => event.position <= body.until) : events;
  const left = until.filter((event) => !(body.without ?? []).some((pattern) => matches(pattern, event)));
  const more = (body.with ?? []).map((event) => ({ subject: stream, time: (until[(event.after ?? until.length) - 1] ?? until.at(-1)).time, ...event }));
  const supposed = left.map((event) => (body.instead?.[event.id] ? { ...event, data: body.instead[event.id] } : event));
  for (const event of more) supposed.splice(supposed.findLastIndex((one) => Number(one.sequence) <= (event.after ?? events.length)) + 1, 0, event);
  const [truth, state] = [fold(until).at(-1), fold(supposed).at(-1)];
  return { stream, projection: 'orchestration', position: until.at(-1).position, sequence: until.length, at: until.at(-1).time, state, folded: supposed.length, left_out: until.length - left.length, added: more.length, patch: compare(truth, state), changes: changes(truth, state) };
}

/** No jq here: three conditions that the tests ask for. */
const CONDITIONS = {
  '.state.errors | length > 0': (state) => state.errors.length > 0, '.event.type == "PhaseFailed"': (_, event) => event.type === 'PhaseFailed', '.state.status == "paused"': (state) => state.status === 'paused',
};

function until(events, query) {
  const holds = CONDITIONS[query.get('where')];
  if (!holds) return null;
  const from = Number(query.get('from') ?? 0);
  const states = fold(events);
  const index = events.findIndex((event, at) => at + 1 > from && holds(states[at], event));
  return index < 0 ? { found: false, scanned_to: events.length, sequence: events.length, state: states.at(-1) } : { found: true, ...mark(events, index + 1), event: events[index], state: states[index] };
}

function divergence(query) {
  const [a, b] = [streamOf(query.get('a')), streamOf(query.get('b'))];
  const alike = (index) => a[index] && b[index] && a[index].type === b[index].type && JSON.stringify(a[index].data) === JSON.stringify(b[index].data);
  let common = 0;
  while (alike(common)) common += 1;
  const [left, right] = [a[common] ?? null, b[common] ?? null];
  const first = { sequence: common + 1, why: left && right ? (left.type === right.type ? 'data' : 'type') : 'ended', a: left, b: right, changes: changes(left?.data ?? {}, right?.data ?? {}) };
  return { a: { stream: query.get('a'), events: a.length }, b: { stream: query.get('b'), events: b.length }, common, first, changes: changes(fold(a).at(-1), fold(b).at(-1)) };
}

function replay(stream, events, query) {
  const part = events.slice(Number(query.get('from') ?? 1) - 1, Number(query.get('to') ?? events.length));
  const results = part.map((event) => ({ event_id: event.id, type: event.type, sequence: Number(event.sequence), position: event.position, ...(/Commit|PR|Comment|Issue/.test(event.type) ? { status: 'skipped', reason: 'non_replayable_event_type' } : { status: 'success' }) }));
  const count = (status) => results.filter((one) => one.status === status).length;
  return { dry_run: true, stream, replayed_count: count('success'), skipped_count: count('skipped'), failed_count: 0, results };
}

/** What a door answers, or a refusal as `[status, problem]`. */
export function answer(url, body = {}) {
  const query = url.searchParams;
  const [, door, category, id, more = ''] = url.pathname.split('/').slice(1).map(decodeURIComponent);
  if (door === 'projections') return { projections: ['orchestration', 'timeline'].map((name) => ({ name, category: name === 'timeline' ? null : 'issue', version: 1, meaning: `The ${name}.`, built_in: true, reads: [] })) };
  if (door === 'divergence') return divergence(query);
  if (door === 'causes') return causes(category);
  const stream = `${category}/${id}`;
  const events = streamOf(stream);
  if (events.length === 0) return [404, { status: 404, code: 'stream_not_found', detail: `no event is on the stream ${stream}` }];
  if (door === 'streams') return { stream, category, id, sequence: events.length };
  if (door === 'why') return why(stream, events);
  if (door === 'profile') return profile(stream, events);
  if (door === 'replay') return replay(stream, events, query);
  if (more === 'overview') return overview(stream, events);
  if (more === 'history') return history(stream, events, query);
  if (more === 'whatif') return whatIf(stream, events, body);
  if (more === 'until') return until(events, query) ?? [400, { status: 400, code: 'invalid_filter', detail: `this is not jq: ${query.get('where')}` }];
  const states = fold(events);
  if (more === 'diff') {
    const [from, to] = [Number(query.get('from_sequence')), Number(query.get('to_sequence'))];
    return { stream, projection: 'orchestration', from: mark(events, from), to: mark(events, to), patch: compare(states[from - 1], states[to - 1]), changes: changes(states[from - 1], states[to - 1]) };
  }
  const sequence = Number(query.get('sequence') ?? events.length);
  return { stream, projection: 'orchestration', ...mark(events, sequence), state: states[sequence - 1] };
}

export async function mockPast(page) {
  const doors = /\/api\/(?:state|causes|why|replay|profile|projections|divergence|streams\/issue)(?:\/|\?|$)/;
  await page.route(doors, (route) => {
    const told = answer(new URL(route.request().url()), route.request().postDataJSON() ?? {});
    return Array.isArray(told) ? route.fulfill({ status: told[0], json: told[1] }) : route.fulfill({ json: told });
  });
}
