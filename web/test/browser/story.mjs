// What agents did, told to a server: captured sessions, and a morning's work that has something on every page.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SESSIONS = fileURLToPath(new URL('../../../crates/tacho-testkit/fixtures/claude-code/sessions/', import.meta.url));
export const CAPTURES = ['full', 'background-agent', 'permission-denied', 'compaction', 'api-error'];

export function capture(name) {
  return readFileSync(`${SESSIONS}${name}.jsonl`, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
}

/** As Claude Code's http hooks send them; their time is now. */
export async function replayHooks(url, name) {
  for (const { payload } of capture(name)) {
    const answer = await fetch(`${url}/hooks/claude-code`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(payload) });
    if (!answer.ok) throw new Error(`a hook was refused: ${answer.status}`);
  }
}

export async function append(url, events, token) {
  const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
  for (let from = 0; from < events.length; from += 1_000) {
    const body = JSON.stringify(events.slice(from, from + 1_000));
    const answer = await fetch(`${url}/api/events`, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`events were refused: ${await answer.text()}`);
  }
}

let made = 0;
const hookName = (name) => name.replace(/(?!^)([A-Z])/g, '_$1').toLowerCase();

/** A hook's event at a time, in seconds before now. */
export function hook(session, name, before, data = {}, place = {}) {
  const { cwd = '/home/dev/demo', branch = 'main', model } = place;
  return {
    specversion: '1.0',
    id: `story-${(made += 1)}-${process.pid}`,
    source: `/claude-code/${cwd.split('/').pop()}`,
    type: `claude.${hookName(name)}`,
    subject: `session/${session}`,
    sessionid: session,
    actortype: name === 'UserPromptSubmit' ? 'user' : 'agent',
    actorid: data.agent_id ?? (name === 'UserPromptSubmit' ? 'user' : 'claude-code'),
    time: new Date(Date.now() - before * 1_000).toISOString(),
    branch,
    ...(model ? { actormodel: model } : {}),
    data: { session_id: session, cwd, hook_event_name: name, transcript_path: `/home/dev/.claude/projects/demo/${session}.jsonl`, ...data },
  };
}

/** A request to a model, as telemetry tells of it. */
export function request(session, before, promptId, extra = {}) {
  const data = {
    'session.id': session, 'prompt.id': promptId, model: 'claude-sonnet-4-5', input_tokens: 1200, output_tokens: 420,
    cache_read_tokens: 25_000, cache_creation_tokens: 900, cost_usd: 0.0208, cost_usd_micros: 20800, duration_ms: 2400,
    request_id: `req_${(made += 1)}`, ...extra,
  };
  return { ...hook(session, 'x', before), type: 'claude_code.api_request', source: '/otlp/claude-code', data };
}

function tool(session, from, to, name, input, promptId, place, extra = {}, failure = '') {
  const id = `toolu_${(made += 1)}`;
  const asked = { prompt_id: promptId, tool_name: name, tool_input: input, tool_use_id: id, ...extra };
  const after = failure
    ? hook(session, 'PostToolUseFailure', to, { ...asked, error: failure, duration_ms: (from - to) * 1_000 }, place)
    : hook(session, 'PostToolUse', to, { ...asked, tool_response: { stdout: 'ok' }, duration_ms: (from - to) * 1_000 }, place);
  return [hook(session, 'PreToolUse', from, asked, place), after];
}

const PAYMENTS = { cwd: '/home/dev/work/payments-api', branch: 'feature/PROJ-123-auth', model: 'claude-opus-4-5' };
const DOCS = { cwd: '/home/dev/work/docs-site', branch: 'main', model: 'claude-haiku-4-5' };
const DEMO = { cwd: '/home/dev/demo', branch: 'HEAD', model: 'claude-sonnet-4-5' };

/** Waits for a person, with a subagent at work beside it. */
export function paymentsStory() {
  const s = 'b1f0c3e2-0000-4000-8000-000000000001';
  const p = 'p-payments';
  const open = { prompt_id: p, tool_name: 'Bash', tool_input: { command: 'npx prisma migrate deploy', description: 'Migrate the database' } };
  const sub = { agent_id: 'a77f0001', agent_type: 'test-writer-fixer' };
  return [
    hook(s, 'SessionStart', 2_400, { source: 'startup', model: 'claude-opus-4-5' }, PAYMENTS),
    hook(s, 'UserPromptSubmit', 2_390, { prompt: 'Read the auth module and say what is missing', prompt_id: 'p0' }, PAYMENTS),
    ...tool(s, 2_380, 2_379, 'Grep', { pattern: 'refreshToken' }, 'p0', PAYMENTS),
    hook(s, 'Stop', 2_100, { prompt_id: 'p0', last_assistant_message: 'Token refresh has no tests.' }, PAYMENTS),
    hook(s, 'UserPromptSubmit', 1_084, { prompt: 'Add user authentication (PROJ-123)', prompt_id: p }, PAYMENTS),
    ...tool(s, 1_080, 1_079, 'Read', { file_path: '/home/dev/work/payments-api/src/auth.ts' }, p, PAYMENTS),
    ...tool(s, 900, 893, 'Bash', { command: 'npm test', description: 'Run the tests' }, p, PAYMENTS, {}, 'Exit code 1\n1 failed, 3 passed'),
    ...tool(s, 800, 790, 'Edit', { file_path: '/home/dev/work/payments-api/src/auth.ts' }, p, PAYMENTS),
    ...tool(s, 700, 692, 'Bash', { command: 'npm test', description: 'Run the tests' }, p, PAYMENTS),
    ...[1_000, 820, 640, 430].map((before) => request(s, before, p, { model: 'claude-opus-4-5', cost_usd: 0.32, cost_usd_micros: 320_000 })),
    hook(s, 'PreToolUse', 372, { prompt_id: p, tool_name: 'Agent', tool_use_id: 'toolu_sub', tool_input: { description: 'Add integration tests for token refresh', subagent_type: 'test-writer-fixer' } }, PAYMENTS),
    hook(s, 'SubagentStart', 370, { prompt_id: p, ...sub }, PAYMENTS),
    ...tool(s, 300, 240, 'Write', { file_path: '/home/dev/work/payments-api/tests/integration/refresh.ts' }, p, PAYMENTS, sub),
    request(s, 200, p, { agent_id: 'a77f0001' }),
    hook(s, 'PreToolUse', 3, { prompt_id: p, tool_use_id: 'toolu_edit', tool_name: 'Edit', tool_input: { file_path: '/home/dev/work/payments-api/tests/integration/auth.test.ts' }, ...sub }, PAYMENTS),
    hook(s, 'PreToolUse', 103, { ...open, tool_use_id: 'toolu_wait' }, PAYMENTS),
    hook(s, 'PermissionRequest', 102, open, PAYMENTS),
  ];
}

/** The same call fails three times. */
export function demoStory() {
  const s = '6de14646-0000-4000-8000-000000000002';
  const p = 'p-demo';
  const tests = { command: "python3 -c \"import sys; print('1 failed, 3 passed'); sys.exit(1)\"", description: 'Run the tests' };
  const events = [
    hook(s, 'SessionStart', 160, { source: 'startup', model: 'claude-sonnet-4-5' }, DEMO),
    hook(s, 'UserPromptSubmit', 151, { prompt: 'Build hello.py, with tests', prompt_id: p }, DEMO),
    ...tool(s, 145, 144.9, 'Bash', { command: 'ls -1', description: 'List files' }, p, DEMO),
    ...tool(s, 130, 129.9, 'Write', { file_path: '/home/dev/demo/hello.py' }, p, DEMO),
    request(s, 140, p),
    request(s, 90, p),
  ];
  for (const before of [100, 60, 20]) events.push(...tool(s, before, before - 0.3, 'Bash', tests, p, DEMO, {}, 'Exit code 1\n1 failed, 3 passed'));
  return events;
}

/** Long at work, with markers. */
export function docsStory() {
  const s = 'c0de0000-0000-4000-8000-000000000003';
  const p = 'p-docs';
  const marker = (type, before, data) => ({ ...hook(s, 'x', before, {}, DOCS), type, source: '/claude-code/docs-site/marker', data });
  return [
    hook(s, 'SessionStart', 1_500, { source: 'startup', model: 'claude-haiku-4-5' }, DOCS),
    hook(s, 'UserPromptSubmit', 1_488, { prompt: 'Update the API reference for 2.0', prompt_id: p }, DOCS),
    ...[1_400, 1_100, 800, 500].flatMap((before) => tool(s, before, before - 40, 'Bash', { command: 'npm run build:docs' }, p, DOCS)),
    marker('urlCacher.downloadStarted', 58, { url: 'https://docs.python.org' }),
    marker('urlCacher.downloadCompleted', 44, { url: 'https://docs.python.org', content_size: 48_000, download_duration_ms: 312 }),
    request(s, 700, p, { model: 'claude-haiku-4-5', cost_usd: 0.04, cost_usd_micros: 40_000 }),
    hook(s, 'PreToolUse', 40, { prompt_id: p, tool_name: 'Bash', tool_use_id: 'toolu_docs', tool_input: { command: 'npm run check:links' } }, DOCS),
  ];
}

/** Two that ended lately. */
export function endedStory() {
  const one = 'e0000000-0000-4000-8000-000000000004';
  const two = 'e0000000-0000-4000-8000-000000000005';
  return [
    hook(one, 'UserPromptSubmit', 262, { prompt: 'clean up', prompt_id: 'p' }, DEMO),
    hook(one, 'StopFailure', 250, { prompt_id: 'p', error: 'unknown', last_assistant_message: 'API Error: 400 fake invalid request' }, DEMO),
    hook(one, 'SessionEnd', 240, { reason: 'other' }, DEMO),
    hook(two, 'UserPromptSubmit', 600, { prompt: 'look in the background', prompt_id: 'p' }, DEMO),
    hook(two, 'Stop', 560, { prompt_id: 'p', last_assistant_message: 'Started it in the background.' }, DEMO),
    hook(two, 'SessionEnd', 550, { reason: 'other' }, DEMO),
  ];
}

export async function tellMorning(url) {
  const events = [...paymentsStory(), ...demoStory(), ...docsStory(), ...endedStory()];
  await append(url, events.sort((left, right) => left.time.localeCompare(right.time)));
}
