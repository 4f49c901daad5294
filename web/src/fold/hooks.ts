/** Hooks of coding agents, folded into sessions. Every quirk of theirs is settled here and nowhere else. */
import { type Call, outputOf, purpose, sameness } from './call';
import { type Fields, fields, type LogEvent, number, text } from './event';
import { currentTurn, type Session, type Subagent, type Turn } from './session';

const NOTIFICATION = '<task-notification>';

type Fold = (session: Session, event: LogEvent, data: Fields, at: number) => void;

export const HOOKS: Record<string, Fold> = {
  session_start: start,
  session_end: end,
  user_prompt_submit: prompt,
  pre_tool_use: before,
  permission_request: ask,
  notification: notice,
  elicitation: (session, event, data, at) => {
    const call = callOf(session, event, { ...data, tool_name: 'Question', tool_input: { description: text(data['message']) } }, at);
    call.state = 'asking';
    call.askedAt = at;
    call.askId = event.id;
  },
  elicitation_result: (session, _, __, at) => {
    const open = [...session.calls.values()].findLast((call) => call.tool === 'Question' && call.endedAt === null);
    if (!open) return;
    open.state = 'done';
    open.endedAt = at;
    open.answeredAt = at;
  },
  permission_denied: (session, event, data, at) => finish(session, event, data, at, 'refused'),
  post_tool_use: (session, event, data, at) => finish(session, event, data, at, 'done'),
  post_tool_use_failure: (session, event, data, at) => finish(session, event, data, at, 'failed'),
  post_tool_batch: batch,
  subagent_start: spawn,
  subagent_stop: retire,
  stop: (session, _, data, at) => close(session, data, at, 'done'),
  stop_failure: (session, _, data, at) => close(session, data, at, 'failed'),
  pre_compact: (session, event, data, at) => {
    const by = text(data['trigger']) === 'manual' ? 'asked for by you' : 'the context was full';
    note(session, event, at, 'Compaction', by);
  },
  post_model_switch: (session, event, data, at) => {
    session.model = text(data['model']) || text(data['to_model']) || session.model;
    note(session, event, at, 'Model switched', session.model);
  },
  message_display: (session, _, data) => {
    const turn = currentTurn(session);
    if (turn && turn.state === 'open' && text(data['delta'])) turn.answer = text(data['delta']);
  },
};

/** Claude Code names the prompt, Codex the turn. */
function promptOf(data: Fields): string {
  return text(data['prompt_id']) || text(data['turn_id']);
}

/** Versions that do not tell of a request for permission notify of it, and do not say what for. */
function notice(session: Session, event: LogEvent, data: Fields, at: number): void {
  if (session.tellsAsks || text(data['notification_type']) !== 'permission_prompt') return;
  const call = [...session.calls.values()].findLast((other) => other.state === 'running');
  if (!call) return;
  call.positions.push(event.position);
  call.state = 'asking';
  call.askedAt = at;
}

function start(session: Session, event: LogEvent, data: Fields, at: number): void {
  const source = text(data['source']);
  if (session.lastPosition === 0) session.whole = true;
  if (session.endedAt !== null) session.endedAt = null;
  session.model = text(data['model']) || event.actormodel || session.model;
  if (source === 'resume') note(session, event, at, 'Resumed', '');
  if (source === 'fork') note(session, event, at, 'Forked', 'Its cost so far includes that of the session it came from.');
}

function end(session: Session, _: LogEvent, data: Fields, at: number): void {
  for (const call of session.calls.values()) cut(call, at);
  for (const agent of session.subagents.values()) stopAgent(agent, at);
  const turn = currentTurn(session);
  if (turn?.state === 'open') {
    turn.state = 'cut';
    turn.endedAt = at;
  }
  session.endedAt = at;
  session.endReason = text(data['reason']);
}

/** A person's prompt ends what an interrupt left open: an interrupt itself tells nobody. */
function prompt(session: Session, event: LogEvent, data: Fields, at: number): void {
  const said = text(data['prompt']);
  const synthetic = said.trimStart().startsWith(NOTIFICATION);
  const last = currentTurn(session);
  if (!synthetic) {
    for (const call of session.calls.values()) {
      const agent = session.subagents.get(call.agentId);
      if (!agent?.background) cut(call, at);
    }
    for (const agent of session.subagents.values()) if (!agent.background) stopAgent(agent, at);
    if (last?.state === 'open') {
      last.state = 'cut';
      last.endedAt = at;
    }
  }
  const number = synthetic ? 0 : session.turns.filter((turn) => !turn.synthetic).length + 1;
  session.turns.push(newTurn(number, promptOf(data), synthetic ? summaryOf(said) : said, at, event.position));
}

function newTurn(number: number, promptId: string, said: string, at: number, position: number): Turn {
  return {
    number,
    promptId,
    prompt: said,
    startedAt: at,
    endedAt: null,
    state: 'open',
    answer: '',
    error: '',
    calls: [],
    synthetic: number === 0,
    position,
  };
}

function summaryOf(said: string): string {
  return /<summary>([\s\S]*?)<\/summary>/.exec(said)?.[1]?.trim() ?? 'A background task reported.';
}

function before(session: Session, event: LogEvent, data: Fields, at: number): void {
  callOf(session, event, data, at);
}

/** The call that a hook speaks of, made when its beginning was not seen. */
function callOf(session: Session, event: LogEvent, data: Fields, at: number): Call {
  const id = text(data['tool_use_id']) || event.id;
  const known = session.calls.get(id);
  if (known) {
    known.positions.push(event.position);
    return known;
  }
  const call: Call = {
    id,
    tool: text(data['tool_name']) || 'tool',
    input: data['tool_input'],
    agentId: text(data['agent_id']),
    state: 'running',
    startedAt: at,
    endedAt: null,
    durationMs: null,
    askedAt: null,
    askId: '',
    seenBy: '',
    answeredAt: null,
    error: '',
    output: '',
    positions: [event.position],
    batch: 0,
    attempt: 0,
    attempts: 0,
    spawned: '',
    background: fields(data['tool_input'])['run_in_background'] === true,
  };
  session.calls.set(id, call);
  turnOf(session, data, event, at).calls.push(call);
  countAttempts(session, call);
  return call;
}

/** A background agent goes on in the turn that started it. */
function turnOf(session: Session, data: Fields, event: LogEvent, at: number): Turn {
  const promptId = promptOf(data);
  const own = session.turns.findLast((turn) => promptId !== '' && turn.promptId === promptId);
  const turn = own ?? currentTurn(session);
  if (turn) return turn;
  const unseen = newTurn(1, promptId, '', at, event.position);
  session.turns.push(unseen);
  return unseen;
}

/** The same thing tried again after a failure makes a chain; a success ends it. */
function countAttempts(session: Session, call: Call): void {
  const names = [sameness(call)];
  if (purpose(call)) names.push(`${call.agentId} ${call.tool} for ${purpose(call)}`);
  const before = names.map((name) => session.tries.get(name)).find((tries) => tries?.at(-1)?.state === 'failed');
  const tries = before ? [...before, call] : [call];
  for (const name of names) session.tries.set(name, tries);
  if (!before) return;
  tries.forEach((other, index) => {
    other.attempt = index + 1;
    other.attempts = tries.length;
  });
}

/** A request for permission does not name its call: it is the newest one open with the same input. */
function ask(session: Session, event: LogEvent, data: Fields, at: number): void {
  session.tellsAsks = true;
  const wanted = JSON.stringify(data['tool_input']);
  const open = [...session.calls.values()].filter(
    (call) => call.state === 'running' && call.tool === text(data['tool_name']) && call.agentId === text(data['agent_id']),
  );
  const call =
    open.findLast((other) => JSON.stringify(other.input) === wanted) ?? open.at(-1) ?? callOf(session, event, data, at);
  if (!call.positions.includes(event.position)) call.positions.push(event.position);
  call.state = 'asking';
  call.askedAt = at;
  call.askId = event.id;
  call.seenBy = '';
}

function finish(session: Session, event: LogEvent, data: Fields, at: number, state: 'done' | 'failed' | 'refused'): void {
  const call = callOf(session, event, data, at);
  call.state = state;
  call.endedAt = at;
  call.durationMs = number(data['duration_ms']);
  if (call.askedAt !== null) call.answeredAt ??= Math.max(call.askedAt, at - (call.durationMs ?? 0));
  call.error = text(data['error']);
  call.output = outputOf(data['tool_response']);
  if (data['is_interrupt'] === true) call.state = 'cut';
  const answer = fields(data['tool_response']);
  if (call.tool === 'Agent' || call.tool === 'Task') joinAgent(session, call, answer);
}

function joinAgent(session: Session, call: Call, answer: Fields): void {
  const id = text(answer['agentId']);
  if (!id) return;
  call.spawned = id;
  call.background = answer['isAsync'] === true || text(answer['status']) === 'async_launched';
  const agent = session.subagents.get(id);
  if (agent) adopt(agent, call);
}

function adopt(agent: Subagent, call: Call): void {
  agent.callId = call.id;
  agent.background = call.background;
  agent.task = purpose(call) || agent.task;
  call.spawned = agent.id;
}

/** What a batch names and no PostToolUse told of was refused. */
function batch(session: Session, _: LogEvent, data: Fields, at: number): void {
  session.batches += 1;
  const named = Array.isArray(data['tool_calls']) ? data['tool_calls'] : [];
  for (const entry of named) {
    const call = session.calls.get(text(fields(entry)['tool_use_id']));
    if (!call) continue;
    call.batch = session.batches;
    if (call.endedAt !== null) continue;
    call.state = 'refused';
    call.endedAt = at;
    if (call.askedAt !== null) call.answeredAt = at;
    call.error = outputOf(fields(entry)['tool_response']);
  }
}

function spawn(session: Session, _: LogEvent, data: Fields, at: number): void {
  const id = text(data['agent_id']);
  if (!id) return;
  const type = text(data['agent_type']);
  const agent: Subagent = {
    id,
    type,
    task: '',
    callId: '',
    startedAt: at,
    endedAt: null,
    state: 'running',
    answer: '',
    background: false,
  };
  session.subagents.set(id, agent);
  // A background agent's call is over before the agent begins, and names it.
  const calls = [...session.calls.values()].filter((call) => call.tool === 'Agent' || call.tool === 'Task');
  const parent =
    calls.find((call) => call.spawned === id) ??
    calls.findLast((call) => call.endedAt === null && !call.spawned && text(fields(call.input)['subagent_type']) === type) ??
    calls.findLast((call) => call.endedAt === null && !call.spawned);
  if (parent) adopt(agent, parent);
}

/** Compaction ends an agent that never began: it is none. */
function retire(session: Session, _: LogEvent, data: Fields, at: number): void {
  const agent = session.subagents.get(text(data['agent_id']));
  if (!agent) return;
  stopAgent(agent, at);
  agent.state = 'done';
  agent.answer = text(data['last_assistant_message']);
  for (const call of session.calls.values()) if (call.agentId === agent.id) cut(call, at);
}

function close(session: Session, data: Fields, at: number, state: 'done' | 'failed'): void {
  const turn = session.turns.findLast((other) => other.promptId === promptOf(data)) ?? currentTurn(session);
  if (!turn) return;
  turn.state = state;
  turn.endedAt = at;
  turn.answer = text(data['last_assistant_message']) || turn.answer;
  if (state === 'failed') turn.error = turn.answer || text(data['error']);
  for (const call of session.calls.values()) if (call.agentId === '') cut(call, at);
}

function cut(call: Call, at: number): void {
  if (call.endedAt !== null) return;
  call.state = 'cut';
  call.endedAt = at;
  if (call.askedAt !== null) call.answeredAt ??= at;
}

function stopAgent(agent: Subagent, at: number): void {
  if (agent.endedAt !== null) return;
  agent.endedAt = at;
  agent.state = 'cut';
}

function note(session: Session, event: LogEvent, at: number, title: string, said: string): void {
  session.notes.push({ at, position: event.position, title, text: said });
}
