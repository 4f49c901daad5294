import type { Call } from './call';

/** One request to a model, as telemetry tells it. Tokens are counts. */
export interface ModelRequest {
  at: number;
  model: string;
  agentId: string;
  promptId: string;
  /** Null: nobody knows the price. */
  costUsd: number | null;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  durationMs: number;
}

export type TurnState = 'open' | 'done' | 'failed' | 'cut';

export interface Turn {
  /** From 1 for what a person asked; 0 for what the system told the agent. */
  number: number;
  promptId: string;
  prompt: string;
  startedAt: number;
  endedAt: number | null;
  state: TurnState;
  answer: string;
  error: string;
  calls: Call[];
  /** The prompt was the system's own report of a background agent. */
  synthetic: boolean;
  /** Of the prompt's event. */
  position: number;
}

export interface Subagent {
  id: string;
  type: string;
  task: string;
  /** The call that started it; empty when that was never seen. */
  callId: string;
  startedAt: number;
  endedAt: number | null;
  state: 'running' | 'done' | 'cut';
  answer: string;
  background: boolean;
}

/** What happened beside the turns: a compaction, a resume, a change of the model. */
export interface Note {
  at: number;
  position: number;
  title: string;
  text: string;
}

export interface Marker {
  at: number;
  position: number;
  name: string;
  agentId: string;
  failed: boolean;
}

export interface Session {
  id: string;
  /** `claude-code`, `codex`. */
  agent: string;
  cwd: string;
  model: string;
  branch: string;
  transcript: string;
  startedAt: number;
  lastAt: number;
  endedAt: number | null;
  endReason: string;
  /** Whether its beginning was seen; else the dashboard came in the middle. */
  whole: boolean;
  turns: Turn[];
  calls: Map<string, Call>;
  /** Tries of one thing since it last succeeded, by what was asked and by what for. */
  tries: Map<string, Call[]>;
  subagents: Map<string, Subagent>;
  notes: Note[];
  markers: Marker[];
  requests: ModelRequest[];
  requestIds: Set<string>;
  /** Its agent tells of each request for permission. */
  tellsAsks: boolean;
  batches: number;
  lastPosition: number;
}

export function newSession(id: string, at: number): Session {
  return {
    id,
    agent: 'claude-code',
    cwd: '',
    model: '',
    branch: '',
    transcript: '',
    startedAt: at,
    lastAt: at,
    endedAt: null,
    endReason: '',
    whole: false,
    turns: [],
    calls: new Map(),
    tries: new Map(),
    subagents: new Map(),
    notes: [],
    markers: [],
    requests: [],
    requestIds: new Set(),
    tellsAsks: false,
    batches: 0,
    lastPosition: 0,
  };
}

/** The turn that what happens now belongs to. */
export function currentTurn(session: Session): Turn | undefined {
  return session.turns[session.turns.length - 1];
}

/** Calls that wait for a person, the longest first. */
export function waiting(session: Session): Call[] {
  if (session.endedAt !== null) return [];
  const calls = [...session.calls.values()].filter((call) => call.state === 'asking');
  return calls.sort((left, right) => (left.askedAt ?? 0) - (right.askedAt ?? 0));
}

export interface Totals {
  turns: number;
  calls: number;
  failed: number;
  waitedMs: number;
  workedMs: number;
  /** Null: no request was reported. */
  costUsd: number | null;
  unpriced: number;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

export function totals(session: Session, now: number): Totals {
  const calls = [...session.calls.values()];
  const spent = sumRequests(session.requests);
  const waitedMs = calls.reduce((sum, call) => sum + waitMs(call, now), 0);
  const turnMs = session.turns.reduce((sum, turn) => sum + ((turn.endedAt ?? now) - turn.startedAt), 0);
  return {
    turns: session.turns.filter((turn) => !turn.synthetic).length,
    calls: calls.length,
    failed: calls.filter((call) => call.state === 'failed').length,
    waitedMs,
    workedMs: Math.max(0, turnMs - waitedMs),
    ...spent,
  };
}

export function waitMs(call: Call, now: number): number {
  return call.askedAt === null ? 0 : Math.max(0, (call.answeredAt ?? call.endedAt ?? now) - call.askedAt);
}

export type Spent = Pick<Totals, 'costUsd' | 'unpriced' | 'input' | 'output' | 'cacheRead' | 'cacheWrite'>;

export function sumRequests(requests: readonly ModelRequest[]): Spent {
  const sum: Spent = { costUsd: null, unpriced: 0, input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  for (const request of requests) {
    if (request.costUsd === null) sum.unpriced += 1;
    else sum.costUsd = (sum.costUsd ?? 0) + request.costUsd;
    sum.input += request.input;
    sum.output += request.output;
    sum.cacheRead += request.cacheRead;
    sum.cacheWrite += request.cacheWrite;
  }
  return sum;
}
