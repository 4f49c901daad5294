import { expect, test } from 'vitest';
import { endedLately, groups, waiters } from '../../src/fold/cards';
import { forget } from '../../src/fold/fleet';
import { totals, waiting } from '../../src/fold/session';
import { spansOf } from '../../src/fold/trace';
import { capture, folded, hookEvent } from './capture';

const only = (events: ReturnType<typeof capture>) => [...folded(events).sessions.values()][0]!;

test('a whole session: tools, failures, parallel calls, a subagent', () => {
  const session = only(capture('full'));
  expect(session.turns).toHaveLength(1);
  const [turn] = session.turns;
  expect(turn).toMatchObject({ number: 1, prompt: 'SCENARIO:full build it', state: 'done', answer: '(tool TaskCreate not offered)' });
  expect(turn!.calls.map((call) => `${call.tool} ${call.state}`)).toEqual([
    'Bash done', 'Write done', 'Read done', 'Edit done', 'Bash failed', 'Read failed', 'Bash done', 'Bash done', 'Agent done', 'Bash done',
  ]);
  const parallel = turn!.calls.slice(6, 8);
  expect(parallel[0]!.batch).toBe(parallel[1]!.batch);
  const agent = session.subagents.get('afd80d6c36420fd4b')!;
  expect(agent).toMatchObject({ type: 'general-purpose', task: 'Inspect the repo', state: 'done', background: false });
  expect(session.calls.get(agent.callId)!.spawned).toBe(agent.id);
  expect(turn!.calls.filter((call) => call.agentId === agent.id).map((call) => call.tool)).toEqual(['Bash']);
  expect(totals(session, session.lastAt)).toMatchObject({ turns: 1, calls: 10, failed: 2, waitedMs: 0 });
  expect(session.endedAt).not.toBeNull();
});

test("a background agent's end is no user's prompt", () => {
  const session = only(capture('background-agent'));
  expect(session.turns.map((turn) => [turn.number, turn.synthetic, turn.state])).toEqual([[1, false, 'done'], [0, true, 'done']]);
  expect(session.turns[1]!.prompt).not.toContain('<task-notification>');
  const agent = [...session.subagents.values()][0]!;
  expect(agent).toMatchObject({ background: true, state: 'done', task: 'Background look' });
  // It outlives the first turn's Stop, so its call is not cut there.
  const call = [...session.calls.values()].find((one) => one.agentId === agent.id)!;
  expect(call.state).toBe('failed');
  expect(session.turns[0]!.calls).toContain(call);
});

test('a refusal without a terminal is told by the batch alone', () => {
  const session = only(capture('permission-denied'));
  const [call] = [...session.calls.values()];
  expect(call).toMatchObject({ state: 'refused', tool: 'Bash' });
  expect(call!.answeredAt! - call!.askedAt!).toBeGreaterThan(0);
  expect(totals(session, session.lastAt).failed).toBe(0);
});

test('compaction ends an agent that never began, and a session that is resumed goes on', () => {
  const fleet = folded(capture('compaction'));
  const [first, fork] = [...fleet.sessions.values()];
  expect(first!.subagents.size).toBe(0);
  expect(first!.notes.map((note) => note.title)).toEqual(['Resumed', 'Compaction']);
  expect(first!.turns).toHaveLength(1);
  expect(fork!.notes[0]!.title).toBe('Forked');
});

test('an API error fails the turn', () => {
  const fleet = folded(capture('api-error'));
  const session = [...fleet.sessions.values()][0]!;
  expect(session.turns[0]).toMatchObject({ state: 'failed', error: 'API Error: 400 fake invalid request' });
  expect(endedLately(fleet, session.endedAt! + 1_000)[0]).toMatchObject({ failed: true });
});

const said = (prompt: string, prompt_id: string) => ({ session_id: 's', prompt, prompt_id, cwd: '/home/dev/demo' });
const call = (tool_use_id: string, prompt_id: string, extra = {}) => ({
  session_id: 's', prompt_id, tool_use_id, tool_name: 'Bash', tool_input: { command: 'sleep 60' }, ...extra,
});

test('an interrupt tells nobody: the next prompt closes what it left open', () => {
  const events = [
    hookEvent('user_prompt_submit', said('one', 'p1'), 0, 1),
    hookEvent('pre_tool_use', call('t1', 'p1'), 1_000, 2),
    hookEvent('user_prompt_submit', said('two', 'p2'), 5_000, 3),
  ];
  const session = only(events);
  expect(session.calls.get('t1')).toMatchObject({ state: 'cut', endedAt: 5_000 });
  expect(session.turns.map((turn) => turn.state)).toEqual(['cut', 'open']);
});

test('who asks a person waits until the answer, and the wait is no work', () => {
  const asked = [
    hookEvent('user_prompt_submit', said('one', 'p1'), 0, 1),
    hookEvent('pre_tool_use', call('t1', 'p1'), 1_000, 2),
    hookEvent('permission_request', { session_id: 's', prompt_id: 'p1', tool_name: 'Bash', tool_input: { command: 'sleep 60' } }, 1_100, 3),
  ];
  const fleet = folded(asked);
  expect(waiters(fleet, 40_000)).toMatchObject([{ command: 'sleep 60', since: 1_100, where: 'demo' }]);
  expect(groups(fleet, 31_100)[0]!.cards[0]!.state).toBe('waits');
  const done = hookEvent('post_tool_use', call('t1', 'p1', { duration_ms: 500, tool_response: { stdout: '' } }), 31_600, 4);
  const session = only([...asked, done]);
  expect(waiting(session)).toEqual([]);
  expect(session.calls.get('t1')).toMatchObject({ state: 'done', askedAt: 1_100, answeredAt: 31_100 });
  expect(totals(session, 31_600)).toMatchObject({ waitedMs: 30_000, workedMs: 1_600 });
});

test('a deed of a person about a call that waits is folded into it', () => {
  const asked = [
    hookEvent('user_prompt_submit', said('one', 'p1'), 0, 1),
    hookEvent('pre_tool_use', call('t1', 'p1'), 1_000, 2),
    hookEvent('permission_request', { session_id: 's', prompt_id: 'p1', tool_name: 'Bash', tool_input: { command: 'sleep 60' } }, 1_100, 3),
  ];
  const wait = asked[2]!.id;
  const deed = (type: string, at: number, position: number) => ({ ...hookEvent('x', { session_id: 's', wait, by: 'ada' }, at, position), type });
  const seen = [...asked, deed('hitl_acknowledged', 2_000, 4)];
  expect(waiters(folded(seen), 3_000)).toMatchObject([{ id: wait, seenBy: 'ada', isTask: false }]);
  const session = only([...seen, deed('hitl_resolved', 5_000, 5)]);
  expect(waiting(session)).toEqual([]);
  expect(session.calls.get('t1')).toMatchObject({ state: 'running', askedAt: 1_100, answeredAt: 5_000 });
});

test('where only a notification tells of a question, the running call is what it is about', () => {
  const asked = [
    hookEvent('user_prompt_submit', said('one', 'p1'), 0, 1),
    hookEvent('pre_tool_use', call('t1', 'p1'), 1_000, 2),
    hookEvent('notification', { session_id: 's', prompt_id: 'p1', notification_type: 'permission_prompt' }, 1_200, 3),
  ];
  expect(waiting(only(asked)).map((one) => one.id)).toEqual(['t1']);
  const idle = hookEvent('notification', { session_id: 's', notification_type: 'idle_prompt' }, 1_200, 3);
  expect(waiting(only([...asked.slice(0, 2), idle]))).toEqual([]);
});

test('a question of a tool server waits for its answer', () => {
  const asked = [
    hookEvent('user_prompt_submit', said('one', 'p1'), 0, 1),
    hookEvent('elicitation', { session_id: 's', prompt_id: 'p1', message: 'Which region?' }, 1_000, 2),
  ];
  expect(waiters(folded(asked), 2_000)).toMatchObject([{ says: 'It asks:', command: 'Which region?' }]);
  expect(waiters(folded([...asked, hookEvent('elicitation_result', { session_id: 's' }, 3_000, 3)]), 4_000)).toEqual([]);
});

test('Codex names its turns', () => {
  const codex = (hook: string, data: object, at: number) => ({ ...hookEvent(hook, { session_id: 's', turn_id: 'u1', ...data }, at, at), type: `codex.${hook}` });
  const session = only([
    codex('user_prompt_submit', { prompt: 'list the files' }, 1),
    codex('pre_tool_use', { tool_name: 'Bash', tool_use_id: 'c1', tool_input: { command: 'ls' } }, 2),
    codex('post_tool_use', { tool_name: 'Bash', tool_use_id: 'c1', tool_response: 'README.md' }, 3),
    codex('stop', { last_assistant_message: 'The files are listed.' }, 4),
  ]);
  expect(session).toMatchObject({ agent: 'codex', turns: [{ state: 'done', answer: 'The files are listed.', promptId: 'u1' }] });
  expect(session.calls.get('c1')).toMatchObject({ state: 'done', output: 'README.md' });
});

test('tries of the same thing make a chain, and the third failure is said', () => {
  const events = [hookEvent('user_prompt_submit', said('one', 'p1'), 0, 1)];
  for (const n of [1, 2, 3]) {
    events.push(hookEvent('pre_tool_use', call(`t${n}`, 'p1'), n * 1_000, n * 2));
    events.push(hookEvent('post_tool_use_failure', call(`t${n}`, 'p1', { error: 'Exit code 1' }), n * 1_000 + 500, n * 2 + 1));
  }
  const fleet = folded(events);
  expect(groups(fleet, 5_000)[0]!.cards[0]).toMatchObject({ state: 'repeats', repeats: 3 });
  const session = [...fleet.sessions.values()][0]!;
  expect([...session.calls.values()].map((one) => [one.attempt, one.attempts])).toEqual([[1, 3], [2, 3], [3, 3]]);
});

test('a success ends a chain of tries', () => {
  const events = [hookEvent('user_prompt_submit', said('one', 'p1'), 0, 1)];
  const outcomes = ['post_tool_use_failure', 'post_tool_use', 'post_tool_use'];
  outcomes.forEach((outcome, n) => {
    events.push(hookEvent('pre_tool_use', call(`t${n}`, 'p1'), n * 1_000, n * 2 + 2));
    events.push(hookEvent(outcome, call(`t${n}`, 'p1'), n * 1_000 + 500, n * 2 + 3));
  });
  const session = only(events);
  expect([...session.calls.values()].map((one) => [one.attempt, one.attempts])).toEqual([[1, 2], [2, 2], [0, 0]]);
});

test('what ended long ago is let go, what waits is kept', () => {
  const events = capture('full');
  const end = Date.parse(events.at(-1)!.time!);
  const fleet = folded([...events, hookEvent('user_prompt_submit', said('x', 'p'), end - 7_000_000, 99)]);
  forget(fleet, end + 1);
  expect([...fleet.sessions.keys()]).toEqual(['s']);
  forget(fleet, end + 100_000_000);
  expect(fleet.sessions.size).toBe(0);
});

test('events that come twice count once', () => {
  const events = capture('full');
  const fleet = folded([...events, ...events]);
  expect([...fleet.sessions.values()][0]!.turns).toHaveLength(1);
});

test('a trace nests what a subagent did below the call that started it', () => {
  const session = only(capture('full'));
  const spans = spansOf(session, session.turns[0]!, session.lastAt);
  expect(spans.slice(-3).map((span) => [span.depth, span.name])).toEqual([[1, 'Agent'], [2, 'general-purpose'], [3, 'Bash']]);
  expect(spans).toHaveLength(12);
});
