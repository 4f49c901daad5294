import { fields, lastPart, text } from './event';

/** What became of a tool call. `asking` waits for a person; `cut` was ended by an interrupt, which tells nobody. */
export type CallState = 'running' | 'asking' | 'done' | 'failed' | 'refused' | 'cut';

export interface Call {
  id: string;
  tool: string;
  input: unknown;
  /** The subagent that calls; empty for the session's own agent. */
  agentId: string;
  state: CallState;
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt: number | null;
  /** What the agent itself measured, without the wait for a person. */
  durationMs: number | null;
  askedAt: number | null;
  /** The event that asks, by which a person's deed names it; empty when none was told. */
  askId: string;
  /** Who said to have seen that it waits. */
  seenBy: string;
  answeredAt: number | null;
  error: string;
  output: string;
  /** The events that tell of it, in the log's order. */
  positions: number[];
  /** Calls of one request run side by side and share their batch. */
  batch: number;
  /** Which try of the same thing this is, from 1, and of how many; 0 when there was only one. */
  attempt: number;
  attempts: number;
  /** Of an Agent call: the subagent that it started. */
  spawned: string;
  background: boolean;
}

/** What tells one try of a thing from another thing: the tool and what it was asked, in few bytes. */
export function sameness(call: Call): string {
  return `${call.agentId} ${call.tool} ${digest(JSON.stringify(call.input) ?? '')}`;
}

/** Two rounds of 32-bit FNV-1a: inputs may be large, and are told apart only within a session. */
function digest(value: string): string {
  let [one, two] = [0x811c9dc5, 0x9747b28c];
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    one = Math.imul(one ^ code, 0x01000193);
    two = Math.imul(two ^ code, 0x01000197);
  }
  return `${(one >>> 0).toString(36)}${(two >>> 0).toString(36)}${value.length}`;
}

/** A person's description of the same task, which outlives a change of the command. */
export function purpose(call: Call): string {
  return text(fields(call.input)['description']);
}

export interface Phrase {
  /** Set in monospace: it can be pasted. */
  code: string;
  plain: string;
}

/** What a call does, in a few words. */
export function phrase(tool: string, input: unknown): Phrase {
  const asked = fields(input);
  const path = text(asked['file_path']) || text(asked['notebook_path']) || text(asked['path']);
  switch (tool) {
    case 'Bash':
      return { code: oneLine(text(asked['command'])), plain: '' };
    case 'Read':
    case 'Write':
    case 'Edit':
    case 'MultiEdit':
    case 'NotebookEdit':
      return { code: tail(path), plain: '' };
    case 'Grep':
    case 'Glob':
      return { code: text(asked['pattern']), plain: '' };
    case 'Question':
    case 'Agent':
    case 'Task':
      return { code: '', plain: text(asked['description']) || oneLine(text(asked['prompt'])) };
    case 'WebFetch':
      return { code: text(asked['url']), plain: '' };
    case 'WebSearch':
      return { code: '', plain: text(asked['query']) };
    case 'TaskCreate':
    case 'TaskUpdate':
      return { code: '', plain: text(asked['subject']) || text(asked['description']) || text(asked['status']) };
    default:
      return { code: path ? tail(path) : '', plain: path ? '' : oneLine(text(Object.values(asked)[0])) };
  }
}

/** The command or the file that a person is asked about, as it would be typed. */
export function literal(tool: string, input: unknown): string {
  const { code, plain } = phrase(tool, input);
  if (tool === 'Question') return plain;
  return tool === 'Bash' ? code : `${tool} ${code || plain}`.trim();
}

/** The first line of what went wrong that says something. */
export function reason(error: string): string {
  const lines = error.split('\n').map((line) => line.trim()).filter(Boolean);
  return lines.slice(0, 2).join(' · ');
}

/** Characters of an answer that are kept; the event has the whole. */
const LONGEST_OUTPUT = 16_000;

/** What a tool answered, as a terminal would show it. */
export function outputOf(response: unknown): string {
  return said(response).slice(0, LONGEST_OUTPUT);
}

function said(response: unknown): string {
  if (typeof response === 'string') return response;
  const answer = fields(response);
  const printed = [text(answer['stdout']), text(answer['stderr'])].filter(Boolean).join('\n');
  if (printed) return printed;
  const file = fields(answer['file']);
  if (text(file['content'])) return text(file['content']);
  const parts = Array.isArray(answer['content']) ? answer['content'] : Array.isArray(response) ? response : [];
  return parts.map((part) => text(fields(part)['text'])).filter(Boolean).join('\n');
}

function oneLine(value: string): string {
  return value.replace(/\s*\n\s*/g, ' ⏎ ').trim();
}

/** The end of a path says most: its last three parts. */
function tail(path: string): string {
  const parts = path.split('/').filter(Boolean);
  return parts.length <= 2 ? lastPart(path) : parts.slice(-3).join('/');
}
