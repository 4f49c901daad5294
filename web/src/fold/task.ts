/** Agents that tell of themselves: the seven types of a task's life, and an orchestration's agents. */
import { type Fields, fields, type LogEvent, number, text } from './event';

export interface Run {
  key: string;
  agent: string;
  /** A task, or the issue of an orchestration. */
  stream: string;
  model: string;
  startedAt: number;
  endedAt: number | null;
  state: 'running' | 'done' | 'failed' | 'rejected';
  durationMs: number | null;
  costUsd: number | null;
  error: string;
  position: number;
}

export interface Task {
  id: string;
  feature: string;
  queuedAt: number | null;
  estimateUsd: number | null;
  completedAt: number | null;
  passed: boolean | null;
}

/** A task that its agents could not do and that a person must decide. */
export interface Escalation {
  /** The event that asks. */
  id: string;
  /** Who said to have seen it. */
  seenBy: string;
  taskId: string;
  at: number;
  position: number;
  attempts: number;
  lastError: string;
  priority: string;
}

export interface Tasks {
  tasks: Map<string, Task>;
  runs: Run[];
  escalations: Map<string, Escalation>;
}

export function newTasks(): Tasks {
  return { tasks: new Map(), runs: [], escalations: new Map() };
}

type Fold = (tasks: Tasks, event: LogEvent, data: Fields, at: number) => void;

export const TASK_TYPES: Record<string, Fold> = {
  task_queued: (tasks, _, data, at) => {
    const task = taskOf(tasks, text(data['task_id']));
    task.feature = text(data['feature']);
    task.queuedAt = at;
    task.estimateUsd = number(data['est_cost']);
  },
  agent_started: (tasks, event, data, at) =>
    begin(tasks, event, text(data['agent']), `task/${text(data['task_id'])}`, text(data['model']), at),
  agent_completed: (tasks, event, data, at) => {
    const status = text(data['status']);
    const state = status === 'failed' ? 'failed' : status === 'rejected' ? 'rejected' : 'done';
    finish(tasks, event, text(data['agent']), `task/${text(data['task_id'])}`, state, data, at);
  },
  validation_complete: (tasks, _, data, at) => {
    const task = taskOf(tasks, text(data['task_id']));
    const result = fields(data['result']);
    const passed = result['passed'] ?? result['test_passed'] ?? result['success'] ?? result['status'];
    task.passed = passed === true || passed === 'passed' || passed === 'success';
    if (task.passed) {
      task.completedAt ??= at;
      tasks.escalations.delete(task.id);
    }
  },
  hitl_escalated: (tasks, event, data, at) => {
    const taskId = text(data['task_id']);
    tasks.escalations.set(taskId, {
      id: event.id,
      seenBy: '',
      taskId,
      at,
      position: event.position,
      attempts: number(data['attempts']) ?? 0,
      lastError: text(data['last_error']),
      priority: text(data['priority']),
    });
  },
  hitl_acknowledged: (tasks, event, data) => {
    const escalation = meant(tasks, data);
    if (escalation) escalation.seenBy ||= text(data['by']) || event.actorid || 'somebody';
  },
  hitl_answered: (tasks, _, data) => settle(tasks, data),
  hitl_resolved: (tasks, _, data) => settle(tasks, data),
  AgentSpawned: (tasks, event, data, at) =>
    begin(tasks, event, agentOf(data), event.subject ?? '', text(data['model']), at),
  AgentCompleted: (tasks, event, data, at) =>
    finish(tasks, event, agentOf(data), event.subject ?? '', 'done', data, at),
  AgentFailed: (tasks, event, data, at) =>
    finish(tasks, event, agentOf(data), event.subject ?? '', 'failed', data, at),
};

/** Records name an agent; older ones gave it an id. */
function agentOf(data: Fields): string {
  return text(data['agent_name']) || text(data['agent_id']);
}

/** A deed names the wait, or its task alone. */
function meant(tasks: Tasks, data: Fields): Escalation | undefined {
  const wait = text(data['wait']);
  const escalation = tasks.escalations.get(text(data['task_id']));
  return wait === '' || wait === escalation?.id ? escalation : undefined;
}

function settle(tasks: Tasks, data: Fields): void {
  const escalation = meant(tasks, data);
  if (escalation) tasks.escalations.delete(escalation.taskId);
}

function taskOf(tasks: Tasks, id: string): Task {
  let task = tasks.tasks.get(id);
  if (!task) {
    task = { id, feature: '', queuedAt: null, estimateUsd: null, completedAt: null, passed: null };
    tasks.tasks.set(id, task);
  }
  return task;
}

function begin(tasks: Tasks, event: LogEvent, agent: string, stream: string, model: string, at: number): void {
  tasks.runs.push({
    key: `${stream} ${agent} ${event.position}`,
    agent,
    stream,
    model,
    startedAt: at,
    endedAt: null,
    state: 'running',
    durationMs: null,
    costUsd: null,
    error: '',
    position: event.position,
  });
}

function finish(
  tasks: Tasks,
  event: LogEvent,
  agent: string,
  stream: string,
  state: Run['state'],
  data: Fields,
  at: number,
): void {
  const isIt = (run: Run): boolean => run.agent === agent && run.stream === stream && run.endedAt === null;
  if (!tasks.runs.some(isIt)) begin(tasks, event, agent, stream, '', at);
  const run = tasks.runs.findLast(isIt);
  if (!run) return;
  run.endedAt = at;
  run.state = state;
  run.durationMs = number(data['duration_ms']);
  run.costUsd = number(data['cost_usd']);
  run.error = text(data['error']) || text(data['error_message']);
}
