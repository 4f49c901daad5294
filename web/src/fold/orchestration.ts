/** What the state of an orchestration says, read from a projection of which any part may be missing. */
import { type Fields, fields, type LogEvent, number, text, timeOf } from './event';

export type Status = 'not_started' | 'in_progress' | 'paused' | 'completed' | 'failed';

export interface Blocked {
  name: string;
  by: string;
  since: string;
}

export interface Failure {
  phase: string;
  reason: string;
  message: string;
  nextActions: string[];
}

/** The fold that has all that the pages of orchestrations show: who is blocked, what the tests said, why it ended. */
export const BOARD = 'board';

export interface Orchestration {
  issue: string;
  summary: string;
  session: string;
  status: Status;
  phase: string;
  donePhases: string[];
  active: string[];
  completed: string[];
  failed: string[];
  blocked: Blocked[];
  gaps: Fields[];
  resolved: Set<string>;
  commits: Fields[];
  pulls: Fields[];
  checks: Fields[];
  runs: Fields[];
  errors: Fields[];
  checkpoints: Fields[];
  startedAt: number | null;
  completedAt: number | null;
  durationMs: number | null;
  failure: Failure | null;
}

/** In the order in which they are gone through; a phase of another name comes behind. */
export const PHASES = ['EXPLORE', 'PLAN', 'CODE', 'TEST', 'FIX', 'DOCUMENT'];

const STATUSES: readonly string[] = ['not_started', 'in_progress', 'paused', 'completed', 'failed'];

function listed(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A name, or a record that has one. */
function named(value: unknown): string {
  const record = fields(value);
  const found = ['agent_name', 'agent_id', 'phase', 'gap_id', 'name', 'id'].map((field) => text(record[field])).find(Boolean);
  return typeof value === 'string' ? value : (found ?? '');
}

function names(value: unknown): string[] {
  return listed(value).map(named).filter(Boolean);
}

function records(value: unknown): Fields[] {
  return listed(value).map((one) => (typeof one === 'string' ? { id: one } : fields(one)));
}

function instant(value: unknown): number | null {
  const parsed = Date.parse(text(value));
  return Number.isNaN(parsed) ? null : parsed;
}

export function orchestrationOf(value: unknown): Orchestration {
  const state = fields(value);
  const status = text(state['status']);
  const gaps = records(state['identified_gaps']);
  const resolved = names(state['resolved_gaps']);
  // What is resolved may have left the list of what was found.
  const gone = resolved.filter((id) => !gaps.some((gap) => named(gap) === id)).map((id): Fields => ({ gap_id: id }));
  const seconds = number(state['duration_seconds']);
  return {
    issue: text(state['issue_key']),
    summary: text(state['issue_summary']),
    session: text(state['session_id']),
    status: STATUSES.includes(status) ? (status as Status) : 'not_started',
    phase: text(state['current_phase']),
    donePhases: names(state['completed_phases']),
    active: names(state['active_agents']),
    completed: names(state['completed_agents']),
    failed: names(state['failed_agents']),
    blocked: records(state['blocked_agents']).map((one) => ({ name: named(one), by: text(one['blocking_agent']) || text(one['blocked_by']), since: text(one['since']) })),
    gaps: [...gaps, ...gone],
    resolved: new Set(resolved),
    commits: records(state['commits']),
    pulls: records(state['prs']),
    checks: records(state['quality_checks']),
    runs: records(state['test_runs']),
    errors: records(state['errors']),
    checkpoints: records(state['checkpoints']),
    startedAt: instant(state['started_at']),
    completedAt: instant(state['completed_at']),
    durationMs: seconds === null ? null : seconds * 1_000,
    failure: state['failure'] ? failureOf(fields(state['failure'])) : null,
  };
}

function failureOf(failure: Fields): Failure {
  return { phase: text(failure['phase']), reason: text(failure['reason']), message: text(failure['message']), nextActions: listed(failure['next_actions']).map(String) };
}

export function openGaps(one: Orchestration): Fields[] {
  return one.gaps.filter((gap) => !one.resolved.has(named(gap)));
}

/** What became of an error: `open`, `recovering`, `recovered`, or `failed` when no recovery helped. */
export function errorState(error: Fields): string {
  return error['recovered'] === true ? 'recovered' : text(error['status']) || 'open';
}

/** How long it took, or takes until now, in milliseconds. */
export function took(one: Orchestration, now: number): number | null {
  if (one.durationMs !== null) return one.durationMs;
  return one.startedAt === null ? null : (one.completedAt ?? now) - one.startedAt;
}

/** What needs somebody comes first, then what is at work, then what is over. */
const URGENCY: Record<Status, number> = { failed: 0, paused: 1, in_progress: 2, not_started: 3, completed: 4 };

export function urgency(one: Orchestration): number {
  return one.status === 'in_progress' && one.blocked.length > 0 ? 1.5 : URGENCY[one.status];
}

export interface PhaseStep {
  name: string;
  state: 'done' | 'current' | 'failed' | 'ahead';
}

/** All phases that are usual, with what became of each. */
export function progress(one: Orchestration): PhaseStep[] {
  const others = [...one.donePhases, one.phase].filter((name) => name && !PHASES.includes(name));
  const isFailed = (name: string): boolean => one.status === 'failed' && (one.failure?.phase || one.phase) === name;
  return [...PHASES, ...new Set(others)].map((name) => ({
    name,
    state: isFailed(name) ? 'failed' : one.donePhases.includes(name) ? 'done' : name === one.phase ? 'current' : 'ahead',
  }));
}

export interface PhaseRun {
  name: string;
  from: number;
  /** Null while it goes on. */
  to: number | null;
  outcome: 'completed' | 'failed' | 'open' | 'paused';
  sequence: number;
  note: string;
}

/** Each run of a phase and each pause, from the events that tell of them: a phase may be gone through twice. */
export function phaseRuns(events: readonly LogEvent[]): PhaseRun[] {
  const runs: PhaseRun[] = [];
  const close = (outcome: PhaseRun['outcome'], at: number, name: string, note: string): void => {
    const open = runs.findLast((run) => run.to === null && (name === '' || run.name === name));
    if (open) Object.assign(open, { to: at, outcome, note: note || open.note });
  };
  for (const event of events) {
    const data = fields(event.data);
    const [at, name, sequence] = [timeOf(event), text(data['phase']), Number(event.sequence)];
    const why = text(data['failure_reason']) || text(data['reason']) || text(data['pause_reason']);
    if (event.type === 'PhaseStarted') {
      close('completed', at, '', '');
      runs.push({ name, from: at, to: null, outcome: 'open', sequence, note: '' });
    } else if (event.type === 'PhaseCompleted') close('completed', at, name, '');
    else if (event.type === 'PhaseFailed') close('failed', at, name, why);
    else if (event.type === 'OrchestrationPaused') {
      const under = runs.findLast((run) => run.to === null)?.name ?? '';
      close('completed', at, '', '');
      runs.push({ name: under, from: at, to: null, outcome: 'paused', sequence, note: why });
    } else if (event.type === 'OrchestrationResumed') {
      const paused = runs.findLast((run) => run.to === null && run.outcome === 'paused');
      if (!paused) continue;
      paused.to = at;
      runs.push({ name: paused.name, from: at, to: null, outcome: 'open', sequence, note: '' });
    } else if (/^Orchestration(?:Completed|Failed)$/.test(event.type)) close(event.type.endsWith('Failed') ? 'failed' : 'completed', at, '', why);
  }
  return runs;
}

export interface AgentLine {
  name: string;
  state: 'active' | 'completed' | 'failed' | 'blocked';
  task: string;
  from: number | null;
  to: number | null;
  said: string;
  blockedBy: string;
  /** Of the last event that tells of it. */
  sequence: number | null;
}

/** Each agent that the state names, with what its events say of it. */
export function agentLines(one: Orchestration, events: readonly LogEvent[]): AgentLine[] {
  const lines = new Map<string, AgentLine>();
  const add = (name: string, state: AgentLine['state'], blockedBy = ''): void => {
    lines.set(name, { name, state, task: '', from: null, to: null, said: '', blockedBy, sequence: null });
  };
  one.completed.forEach((name) => add(name, 'completed'));
  one.failed.forEach((name) => add(name, 'failed'));
  one.active.forEach((name) => add(name, 'active'));
  one.blocked.forEach((blocked) => add(blocked.name, 'blocked', blocked.by));
  for (const event of events) {
    if (!/^Agent(?:Spawned|Completed|Failed|Blocked)$/.test(event.type)) continue;
    const data = fields(event.data);
    const line = lines.get(text(data['agent_name']) || text(data['agent_id']));
    if (!line) continue;
    line.sequence = Number(event.sequence);
    line.task ||= text(data['assigned_task']) || text(data['task']) || text(data['agent_type']);
    if (event.type === 'AgentSpawned') [line.from, line.to] = [timeOf(event), null];
    if (/Completed|Failed/.test(event.type)) line.to = timeOf(event);
    line.said = text(data['failure_reason']) || text(data['error']) || text(data['summary']) || line.said;
    if (line.state !== 'failed' && event.type !== 'AgentFailed') line.said = text(data['summary']);
  }
  const order = { failed: 0, blocked: 1, active: 2, completed: 3 };
  return [...lines.values()].sort((left, right) => order[left.state] - order[right.state] || (left.from ?? 0) - (right.from ?? 0));
}

/** The events of some types that have this id, or this value in their payload, in their order: what a row links to is
 * one of them. */
export function eventsOf(events: readonly LogEvent[], types: RegExp, value: string): LogEvent[] {
  return events.filter((event) => types.test(event.type) && (event.id === value || Object.values(fields(event.data)).some((one) => String(one) === value)));
}

/** Which of the records with the same name this is, from 0: runs of one suite follow each other. */
export function nth(records: readonly Fields[], index: number, name: string): number {
  return records.slice(0, index).filter((record) => record[name] === records[index]?.[name]).length;
}
