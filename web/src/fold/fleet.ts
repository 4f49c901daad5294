/** Everything that agents do, folded from events in the log's order. */
import { deed, isDeed } from './deed';
import { fields, type LogEvent, sessionOf, text, timeOf } from './event';
import { HOOKS } from './hooks';
import { currentTurn, newSession, type Session } from './session';
import { newTasks, TASK_TYPES, type Tasks } from './task';
import { request } from './telemetry';

export interface Fleet {
  sessions: Map<string, Session>;
  tasks: Tasks;
  /** The last position that was folded; what is not behind it is left out. */
  position: number;
}

export function newFleet(): Fleet {
  return { sessions: new Map(), tasks: newTasks(), position: 0 };
}

/** A session that never said its end and is silent for so long is gone, in milliseconds. */
export const LOST_MS = 24 * 3_600_000;

const HOOK_TYPE = /^(claude|codex)\.(.+)$/;

export function fold(fleet: Fleet, event: LogEvent): void {
  if (event.position <= fleet.position) return;
  fleet.position = event.position;
  const at = timeOf(event);
  const data = fields(event.data);
  const id = sessionOf(event);
  const waits = isDeed(event.type) ? fleet.sessions.get(id) : undefined;
  if (waits) {
    deed(waits, event, data, at);
    waits.lastPosition = event.position;
  }
  const onTask = TASK_TYPES[event.type];
  if (onTask) return onTask(fleet.tasks, event, data, at);
  if (!id || !(event.subject ?? '').startsWith('session/')) return;
  const hook = HOOK_TYPE.exec(event.type);
  const isTelemetry = event.type.startsWith('claude_code.');
  // A marker is told by a session that is already there.
  if (!hook && !isTelemetry && !fleet.sessions.has(id)) return;
  const session = sessionIn(fleet, id, at);
  if (hook) {
    identify(session, event, hook[1] ?? '');
    HOOKS[hook[2] ?? '']?.(session, event, data, at);
  } else if (event.type === 'claude_code.api_request') {
    request(session, data, at);
  } else if (!isTelemetry) {
    mark(session, event, at);
  }
  session.lastAt = Math.max(session.lastAt, at);
  session.lastPosition = event.position;
}

function sessionIn(fleet: Fleet, id: string, at: number): Session {
  let session = fleet.sessions.get(id);
  if (!session) {
    session = newSession(id, at);
    fleet.sessions.set(id, session);
  }
  return session;
}

function identify(session: Session, event: LogEvent, family: string): void {
  const data = fields(event.data);
  session.agent = family === 'codex' ? 'codex' : 'claude-code';
  session.cwd = text(data['cwd']) || session.cwd;
  session.transcript = text(data['transcript_path']) || session.transcript;
  session.branch = event.branch || session.branch;
  session.model = text(data['model']) || session.model;
}

function mark(session: Session, event: LogEvent, at: number): void {
  const failed = event.severity === 'error' || /fail|error/i.test(event.type);
  const agentId = event.actorid && session.subagents.has(event.actorid) ? event.actorid : '';
  session.markers.push({ at, position: event.position, name: event.type, agentId, failed });
}

/** Lets go of what ended before a moment, so that a page may stay open for weeks. */
export function forget(fleet: Fleet, before: number): void {
  for (const [id, session] of fleet.sessions) {
    if (session.lastAt < before && (session.endedAt !== null || session.lastAt < before - LOST_MS)) fleet.sessions.delete(id);
  }
  fleet.tasks.runs = fleet.tasks.runs.filter((run) => run.endedAt === null || run.endedAt >= before);
}

/** What the session is at: the person's prompt, not the system's. */
export function taskOf(session: Session): string {
  const asked = session.turns.findLast((turn) => !turn.synthetic);
  return asked?.prompt || (currentTurn(session) ? '(its prompt was before what is loaded)' : '');
}
