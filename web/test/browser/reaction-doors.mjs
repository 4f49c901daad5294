// Answers of the doors of handlers and dead letters, as their contract says; deeds change what they answer next.
const at = (seconds) => new Date(Date.now() + seconds * 1_000).toISOString();

const handler = (name, more = {}) => ({
  name, kind: 'warm', role: 'handler', state: 'running', position: 147, head: 147, pending: 0, in_flight: 0, done: 1204, dead: 0, skipped: 0, matched: 1204,
  rate_per_second: 0.7, latency_ms: { p50: 0.8, p99: 4.1 }, success_rate: 1, retried: 0, attempt: 0, last_error: null, next_attempt: null, breaker: 'closed', breaker_until: null,
  workers: { alive: 2, busy: 1, max: 4 }, types: ['claude.subagent_stop'], returns: ['work.reviewed'], version: null, capabilities: [], paused: null, ...more,
});
const sink = (name, more = {}) => handler(name, { role: 'sink', kind: 'jsonl', workers: null, types: ['*'], returns: [], latency_ms: null, success_rate: null, ...more });

const HANDLERS = () => [
  handler('review-finished-work', { version: '1.2.0', capabilities: ['journal.read'] }),
  handler('notify-webhook', { kind: 'http', state: 'broken', position: 91, pending: 28, in_flight: 1, done: 311, dead: 2, matched: 341, rate_per_second: 0, latency_ms: null, success_rate: 0.982, retried: 9, attempt: 4, last_error: 'http_503: hooks.example.org answered 503', next_attempt: at(23), breaker: 'open', breaker_until: at(23), types: ['hitl_escalated', 'budget_*'], returns: [], workers: { alive: 0, busy: 0, max: 4 } }),
  handler('repair-payload', { kind: 'agent', done: 38, dead: 1, skipped: 2, pending: 1, matched: 42, rate_per_second: 0.02, latency_ms: { p50: 6_200, p99: 18_400 }, success_rate: 0.94, retried: 1, breaker: 'half_open', types: ['tacho.dead_letter'], returns: ['agent.answered'], workers: { alive: 1, busy: 1, max: 2 } }),
  handler('index-screenshots', { done: 18_702, matched: 18_706, pending: 4, in_flight: 4, rate_per_second: 118, latency_ms: { p50: 3.6, p99: 22 }, workers: { alive: 16, busy: 4, max: 16 }, types: ['*.captured'], returns: ['shot.indexed'] }),
  handler('nightly-summary', { kind: 'process', state: 'paused', done: 214, matched: 220, pending: 6, rate_per_second: 0, paused: { by: 'user:ann', reason: 'the model is away', at: at(-7_200) }, types: ['PhaseSummaryCreated'], returns: [] }),
  sink('events-file', { position: 140, pending: 7, skipped: 3, matched: 1214, rate_per_second: 42.1 }),
  sink('archive-webhook', { kind: 'http', state: 'broken', position: 91, pending: 28, done: 311, dead: 2, matched: 341, attempt: 4, last_error: 'http_500: archive.example.org answered 500', next_attempt: at(23), breaker: 'open' }),
];

const flow = (type, count) => ({ type, count });
const MAP = {
  window_seconds: 3600,
  handlers: [
    { name: 'review-finished-work', in: [flow('claude.subagent_stop', 42)], out: [flow('work.reviewed', 40)] },
    { name: 'notify-webhook', in: [flow('hitl_escalated', 3)], out: [] },
    { name: 'repair-payload', in: [flow('tacho.dead_letter', 3)], out: [flow('agent.answered', 2)] },
    { name: 'index-screenshots', in: [flow('web.captured', 6_100), flow('desktop.captured', 980)], out: [flow('shot.indexed', 7_080)] },
  ],
};

const error = { code: 'http_503', message: 'hooks.example.org answered 503' };
const PENDING = [
  { position: 91, event_id: 'e91', event_type: 'hitl_escalated', subject: 'task/refresh-token-tests', attempt: 4, state: 'retrying', error, next_attempt: at(23), priority: 'high' },
  { position: 96, event_id: 'e96', event_type: 'budget_warning', subject: null, attempt: 1, state: 'running', error: null, next_attempt: null, priority: 'normal' },
  { position: 101, event_id: 'e101', event_type: 'budget_exceeded', subject: null, attempt: 0, state: 'waiting', error: null, next_attempt: null, priority: 'normal' },
];
const DELIVERIES = [
  { position: 91, event_id: 'e91', event_type: 'hitl_escalated', subject: 'task/refresh-token-tests', attempt: 3, outcome: 'failed', started: at(-12), duration_ms: 184, returned: 0, error },
  { position: 88, event_id: 'e88', event_type: 'budget_warning', subject: null, attempt: 1, outcome: 'done', started: at(-40), duration_ms: 0.8, returned: 1, error: null },
  { position: 70, event_id: 'e70', event_type: 'hitl_escalated', subject: null, attempt: 5, outcome: 'dead', started: at(-90), duration_ms: 30_000, returned: 0, error: { code: 'timeout', message: 'no answer within 30 s' } },
];

function letterOf(n) {
  const isJson = n % 10 === 9;
  const event = {
    specversion: '1.0', id: `e${n}`, source: '/api', type: isJson ? 'urlCacher.urlCacheFailed' : 'hitl_escalated', subject: `task/t${n}`, position: n + 1, time: at(-n), causationid: 'cause-of-it-all',
    data: { task_id: 'refresh-token-tests', attempts: 3, last_error: 'Authentication endpoint returns 500', priority: 'urgent', n },
  };
  const failed = isJson ? { code: 'bad_output', message: 'line 1 is no JSON object' } : error;
  return { id: `letter-${n}`, handler: isJson ? 'repair-payload' : 'notify-webhook', attempts: 5, error: failed, event, failedAt: at(-n), retry_of: n === 2 ? 'letter-0-of-yesterday' : null };
}

/** So many letters a part of a deed on many. */
const PART = 40;

/** A server's doors over this many letters; `asked` has every request, `isLocked` refuses every deed. */
export function reactionDoors({ letters = 3, isLocked = false, handlers = HANDLERS() } = {}) {
  const gone = new Set();
  const doors = { asked: [], isLocked, handlers, letters };
  const isOf = (letter, wanted) => (!wanted.handler || letter.handler === wanted.handler) && (!wanted.code || letter.error.code === wanted.code);
  const left = (wanted) => {
    const found = [];
    for (let n = 0; n < doors.letters; n += 1) if (!gone.has(n) && isOf(letterOf(n), wanted)) found.push(n);
    return found;
  };

  function page(query) {
    const [wanted, limit, cursor] = [Object.fromEntries(query), Number(query.get('limit') ?? 100), Number(query.get('cursor') ?? 0)];
    const all = left(wanted);
    const mine = all.filter((n) => n >= cursor).slice(0, limit);
    const last = mine.at(-1) ?? doors.letters;
    return { dead_letters: mine.map(letterOf), next: mine.length === limit && last < (all.at(-1) ?? 0) ? String(last + 1) : null, total: all.length };
  }
  function causes() {
    const found = new Map();
    for (const n of left({})) {
      const { handler: name, error: failed, failedAt } = letterOf(n);
      const known = found.get(`${name} ${failed.code}`) ?? { handler: name, code: failed.code, count: 0, first: failedAt, last: failedAt, message: failed.message };
      found.set(`${name} ${failed.code}`, { ...known, count: known.count + 1, first: failedAt });
    }
    return { causes: [...found.values()], total: left({}).length };
  }
  function deedOnHandler(one, deed, body) {
    if (deed === 'pause') Object.assign(one, { state: 'paused', paused: { by: 'user:dashboard', reason: body.reason, at: at(0) } });
    if (deed === 'resume') Object.assign(one, { state: 'running', paused: null });
    if (deed === 'test') return { outcome: 'done', duration_ms: 12.4, returned: [{ specversion: '1.0', type: 'work.reviewed', data: { of: body.position } }], error: null };
    return one;
  }
  function deedOnLetters(parts, body) {
    const deed = parts.at(-1);
    if (parts.length === 2) {
      gone.add(Number(parts[0].replace('letter-', '')));
      return { id: parts[0], state: deed === 'retry' ? 'retried' : 'discarded' };
    }
    const mine = left(body);
    for (const n of mine.slice(0, PART)) gone.add(n);
    return { count: Math.min(PART, mine.length), left: Math.max(0, mine.length - PART) };
  }
  function answer(request) {
    const url = new URL(request.url());
    const [, , door, ...parts] = url.pathname.split('/').map(decodeURIComponent);
    const isDeed = request.method() === 'POST';
    const body = isDeed ? request.postDataJSON() : null;
    doors.asked.push({ path: url.pathname + url.search, body });
    if (isDeed && doors.isLocked) return { status: 401, json: { status: 401, code: 'control_token', detail: 'this needs the control token: run `tacho open`' } };
    if (door === 'dead-letters') return { json: isDeed ? deedOnLetters(parts, body) : parts[0] === 'causes' ? causes() : page(url.searchParams) };
    if (parts.length === 0) return { json: { handlers: doors.handlers } };
    if (parts[0] === 'map') return { json: MAP };
    const one = doors.handlers.find(({ name }) => name === parts[0]);
    const isWaiting = one.name === 'notify-webhook';
    if (isDeed) return { json: deedOnHandler(one, parts[1], body) };
    if (parts[1] === 'pending') return { json: isWaiting ? { pending: PENDING, total: one.pending } : { pending: [], total: 0 } };
    return { json: { deliveries: isWaiting ? DELIVERIES : [] } };
  }
  doors.mock = (mocked) => mocked.route(/\/api\/(handlers|dead-letters)/, (route) => route.fulfill(answer(route.request())));
  return doors;
}
