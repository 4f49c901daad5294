/** The agents at work now, as the Live page shows them. */
import { type Activity, sessionActivity, subagentActivity } from './activity';
import { type Call, literal, phrase } from './call';
import { lastPart, shortModel, shortPath } from './event';
import { type Fleet, LOST_MS, taskOf } from './fleet';
import type { Family } from './row';
import { currentTurn, type Session, type Subagent, sumRequests, waiting } from './session';
import type { Run } from './task';
import { type Usual, usual } from './usual';
import { duration, money } from './wording';

export const HOUR = 3_600_000;
/** After so long without a sign of life what is at work is called silent, and what is done is no longer shown, in milliseconds. */
const SILENT = 30 * 60_000;
/** What is silent is shown for so long: it may have been ended in a way that tells nobody. In milliseconds. */
const GIVEN_UP = 6 * HOUR;
/** The same call failing so often is worth saying. */
const REPEATS = 3;
/** What ended is listed for so long, in milliseconds. */
const RECENT = 10 * 60_000;

export type CardState = 'waits' | 'repeats' | 'silent' | 'slow' | 'working' | 'idle';

export interface Card {
  key: string;
  href: string;
  name: string;
  isSub: boolean;
  state: CardState;
  /** How often the same call failed in a row. */
  repeats: number;
  model: string;
  task: string;
  callFamily: Family;
  callVerb: string;
  callCode: string;
  callSince: number | null;
  /** When the present turn or run began. */
  since: number;
  costUsd: number | null;
  calls: number;
  activity: Activity;
  norm: Usual | null;
}

export interface Group {
  key: string;
  name: string;
  path: string;
  branch: string;
  cards: Card[];
}

export interface Ended {
  key: string;
  href: string;
  failed: boolean;
  text: string;
  place: string;
  at: number;
}

/** Someone who waits for a person. */
export interface Waiter {
  key: string;
  /** The event that asks; empty where a deed cannot name it. */
  id: string;
  /** A task was handed over: an answer is for its agents. An agent that asks is answered in its terminal. */
  isTask: boolean;
  seenBy: string;
  href: string;
  who: string;
  where: string;
  says: string;
  command: string;
  since: number;
}

export function groups(fleet: Fleet, now: number): Group[] {
  const found: Group[] = [];
  for (const session of fleet.sessions.values()) {
    if (!isAtWork(session, now)) continue;
    const cards = [sessionCard(fleet, session, now)];
    for (const agent of session.subagents.values()) {
      if (agent.endedAt === null) cards.push(subagentCard(fleet, session, agent, now));
    }
    const path = shortPath(session.cwd);
    found.push({ key: session.id, name: lastPart(session.cwd) || session.id.slice(0, 8), path, branch: session.branch, cards });
  }
  return [...found, ...runGroups(fleet, now)];
}

function isAtWork(session: Session, now: number): boolean {
  if (session.endedAt !== null || session.turns.length === 0) return false;
  const isOpen = session.turns.some((turn) => turn.state === 'open');
  return now - session.lastAt < (waiting(session).length > 0 ? LOST_MS : isOpen ? GIVEN_UP : SILENT);
}

function sessionCard(fleet: Fleet, session: Session, now: number): Card {
  const calls = [...session.calls.values()].filter((call) => call.agentId === '');
  const turn = currentTurn(session);
  const isOpen = session.turns.some((other) => other.state === 'open');
  const since = session.turns.findLast((other) => !other.synthetic)?.startedAt ?? session.startedAt;
  const norm = usual(turnLengths(fleet, session.agent));
  const repeats = failuresInARow(calls);
  const state = stateOf(calls, isOpen, repeats, since, now - session.lastAt, norm, now);
  const call = calls.findLast((other) => other.endedAt === null) ?? calls.at(-1);
  return {
    key: session.id,
    href: `/session/${session.id}`,
    name: session.agent,
    isSub: false,
    state,
    repeats,
    model: shortModel(session.model),
    task: taskOf(session),
    ...callLine(call, state === 'idle' ? (turn?.answer ?? '') : ''),
    since: state === 'idle' ? (turn?.endedAt ?? since) : since,
    costUsd: sumRequests(session.requests).costUsd,
    calls: session.calls.size,
    activity: sessionActivity(session, now - HOUR, now),
    norm,
  };
}

function subagentCard(fleet: Fleet, session: Session, agent: Subagent, now: number): Card {
  const calls = [...session.calls.values()].filter((call) => call.agentId === agent.id);
  const norm = usual(agentLengths(fleet, agent.type));
  const repeats = failuresInARow(calls);
  return {
    key: `${session.id}/${agent.id}`,
    href: `/session/${session.id}?agent=${encodeURIComponent(agent.id)}`,
    name: agent.type || 'subagent',
    isSub: true,
    state: stateOf(calls, true, repeats, agent.startedAt, now - session.lastAt, norm, now),
    repeats,
    model: shortModel(session.requests.findLast((request) => request.agentId === agent.id)?.model ?? ''),
    task: agent.task || 'Subagent',
    ...callLine(calls.findLast((other) => other.endedAt === null) ?? calls.at(-1), ''),
    since: agent.startedAt,
    costUsd: sumRequests(session.requests.filter((request) => request.agentId === agent.id)).costUsd,
    calls: calls.length,
    activity: subagentActivity(session, agent, now - HOUR, now),
    norm,
  };
}

function stateOf(
  calls: readonly Call[],
  isOpen: boolean,
  repeats: number,
  since: number,
  quietMs: number,
  norm: Usual | null,
  now: number,
): CardState {
  if (calls.some((call) => call.state === 'asking')) return 'waits';
  if (!isOpen) return 'idle';
  if (quietMs > SILENT) return 'silent';
  if (repeats >= REPEATS) return 'repeats';
  if (norm && now - since > 2 * norm.high) return 'slow';
  return 'working';
}

function callLine(call: Call | undefined, answer: string): Pick<Card, 'callFamily' | 'callVerb' | 'callCode' | 'callSince'> {
  if (answer) return { callFamily: 'answer', callVerb: answer, callCode: '', callSince: null };
  if (!call) return { callFamily: 'system', callVerb: 'No call yet', callCode: '', callSince: null };
  if (call.state === 'asking') {
    return { callFamily: 'ask', callVerb: '', callCode: literal(call.tool, call.input), callSince: call.askedAt };
  }
  const { code, plain } = phrase(call.tool, call.input);
  const family: Family = call.state === 'failed' ? 'fail' : call.spawned || call.tool === 'Agent' ? 'agent' : 'tool';
  const verb = [call.tool, plain].filter(Boolean).join(' ');
  return { callFamily: family, callVerb: verb, callCode: code, callSince: call.endedAt === null ? call.startedAt : null };
}

/** The last calls, when they are one chain of tries that all failed. */
function failuresInARow(calls: readonly Call[]): number {
  const last = calls.findLast((call) => call.endedAt !== null);
  return last?.state === 'failed' ? Math.max(1, last.attempt) : 0;
}

export function turnLengths(fleet: Fleet, agent: string): number[] {
  const lengths: number[] = [];
  for (const session of fleet.sessions.values()) {
    if (session.agent !== agent) continue;
    for (const turn of session.turns) {
      if (turn.endedAt !== null && !turn.synthetic && turn.state === 'done') lengths.push(turn.endedAt - turn.startedAt);
    }
  }
  return lengths;
}

function agentLengths(fleet: Fleet, type: string): number[] {
  const lengths: number[] = [];
  for (const session of fleet.sessions.values()) {
    for (const agent of session.subagents.values()) {
      if (agent.type === type && agent.endedAt !== null && agent.state === 'done') lengths.push(agent.endedAt - agent.startedAt);
    }
  }
  return lengths;
}

/** Agents that tell of themselves, by their task or issue. */
function runGroups(fleet: Fleet, now: number): Group[] {
  const byStream = new Map<string, Group>();
  for (const run of fleet.tasks.runs) {
    if (run.endedAt !== null || now - run.startedAt > 12 * HOUR) continue;
    let group = byStream.get(run.stream);
    if (!group) {
      const feature = fleet.tasks.tasks.get(run.stream.replace(/^task\//, ''))?.feature ?? '';
      group = { key: run.stream, name: run.stream, path: feature, branch: '', cards: [] };
      byStream.set(run.stream, group);
    }
    group.cards.push(runCard(fleet, run, now));
  }
  return [...byStream.values()];
}

function runCard(fleet: Fleet, run: Run, now: number): Card {
  const same = fleet.tasks.runs.filter((other) => other.agent === run.agent && other.durationMs !== null);
  const norm = usual(same.map((other) => other.durationMs ?? 0));
  const tries = fleet.tasks.runs.filter((other) => other.agent === run.agent && other.stream === run.stream).length;
  return {
    key: run.key,
    href: `/events?stream=${encodeURIComponent(run.stream)}`,
    name: run.agent,
    isSub: false,
    state: norm && now - run.startedAt > 2 * norm.high ? 'slow' : 'working',
    repeats: 0,
    model: shortModel(run.model),
    task: fleet.tasks.tasks.get(run.stream.replace(/^task\//, ''))?.feature || run.stream,
    callFamily: 'agent',
    callVerb: tries > 1 ? `try ${tries}` : 'first try',
    callCode: '',
    callSince: run.startedAt,
    since: run.startedAt,
    costUsd: run.costUsd,
    calls: 0,
    activity: { worked: [[Math.max(run.startedAt, now - HOUR), now]], waited: [], failures: [] },
    norm,
  };
}

export function waiters(fleet: Fleet, now: number): Waiter[] {
  const found: Waiter[] = [];
  for (const session of fleet.sessions.values()) {
    if (now - session.lastAt > LOST_MS) continue;
    for (const call of waiting(session)) {
      const agent = session.subagents.get(call.agentId);
      found.push({
        key: `${session.id} ${call.id}`,
        id: call.askId,
        isTask: false,
        seenBy: call.seenBy,
        href: `/session/${session.id}?call=${encodeURIComponent(call.id)}`,
        who: agent?.type || session.agent,
        where: lastPart(session.cwd),
        says: call.tool === 'Bash' ? 'It asks to run' : call.tool === 'Question' ? 'It asks:' : 'It asks for',
        command: literal(call.tool, call.input),
        since: call.askedAt ?? call.startedAt,
      });
    }
  }
  for (const escalation of fleet.tasks.escalations.values()) {
    found.push({
      key: `task ${escalation.taskId}`,
      id: escalation.id,
      isTask: true,
      seenBy: escalation.seenBy,
      href: `/events?stream=${encodeURIComponent(`task/${escalation.taskId}`)}`,
      who: escalation.taskId,
      where: 'the task factory',
      says: `It gave up after ${escalation.attempts} attempts:`,
      command: escalation.lastError,
      since: escalation.at,
    });
  }
  return found.sort((left, right) => left.since - right.since);
}

export function endedLately(fleet: Fleet, now: number): Ended[] {
  const found: Ended[] = [];
  for (const session of fleet.sessions.values()) {
    const turn = session.turns.findLast((other) => !other.synthetic);
    if (session.endedAt === null || !turn || now - session.endedAt > RECENT) continue;
    const failed = turn.state === 'failed';
    const said = turn.error || turn.answer || turn.prompt;
    const text = `${session.agent} · ${said.split('\n')[0]}`;
    found.push({ key: session.id, href: `/session/${session.id}`, failed, text, place: shortPath(session.cwd), at: session.endedAt });
  }
  for (const run of fleet.tasks.runs) {
    if (run.endedAt === null || now - run.endedAt > RECENT) continue;
    const href = `/events?stream=${encodeURIComponent(run.stream)}`;
    found.push({ key: run.key, href, failed: run.state === 'failed', text: `${run.agent} · ${run.state === 'rejected' ? 'rejected · ' : ''}${run.error || `${duration(run.durationMs)} · ${money(run.costUsd)}`}`, place: run.stream, at: run.endedAt });
  }
  return found.sort((left, right) => right.at - left.at).slice(0, 6);
}
