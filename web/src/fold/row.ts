/** One event as one line: what happened, in words that a reader would use. */
import { phrase, reason } from './call';
import { type Fields, fields, lastPart, type LogEvent, number, text, timeOf } from './event';
import { duration, money } from './wording';

export type Family = 'turn' | 'answer' | 'tool' | 'agent' | 'ask' | 'fail' | 'done' | 'marker' | 'reaction' | 'system';

export interface Row {
  position: number;
  id: string;
  at: number;
  type: string;
  family: Family;
  /** What the reader may switch on and off; a failure of a tool is a failure. */
  verb: string;
  code: string;
  detail: string;
  /** The project, task or issue. */
  place: string;
  subject: string;
  /** The call that it begins or ends; empty when it does neither. */
  call: string;
  begins: boolean;
}

interface Said {
  family: Family;
  verb: string;
  code?: string;
  detail?: string;
}

export function rowOf(event: LogEvent): Row {
  const data = fields(event.data);
  const said = say(event, data);
  return {
    position: event.position,
    id: event.id,
    at: timeOf(event),
    type: event.type,
    family: said.family,
    verb: said.verb,
    code: said.code ?? '',
    detail: said.detail ?? '',
    place: placeOf(event, data),
    subject: event.subject ?? '',
    call: /\.(?:pre|post)_tool_use/.test(event.type) ? text(data['tool_use_id']) : '',
    begins: event.type.endsWith('.pre_tool_use'),
  };
}

function placeOf(event: LogEvent, data: Fields): string {
  const cwd = text(data['cwd']);
  if (cwd) return lastPart(cwd);
  const subject = event.subject ?? '';
  if (subject.startsWith('session/')) return lastPart(event.source.replace(/\/marker$/, ''));
  return subject ? subject.slice(subject.indexOf('/') + 1) : lastPart(event.source);
}

function say(event: LogEvent, data: Fields): Said {
  const hook = /^(?:claude|codex)\.(.+)$/.exec(event.type)?.[1];
  if (hook) return hooked(hook, event, data);
  if (event.type.startsWith('claude_code.')) return measured(event, data);
  if (event.type.startsWith('tacho.')) return own(event, data);
  return SEVEN[event.type]?.(data) ?? domain(event, data);
}

function hooked(hook: string, event: LogEvent, data: Fields): Said {
  const tool = text(data['tool_name']);
  const asked = phrase(tool, data['tool_input']);
  switch (hook) {
    case 'user_prompt_submit': {
      const prompt = text(data['prompt']);
      if (!prompt.trimStart().startsWith('<task-notification>')) return { family: 'turn', verb: prompt };
      return { family: 'system', verb: 'Background agent', detail: 'reported to the agent' };
    }
    case 'pre_tool_use':
      return { family: 'tool', verb: tool, code: asked.code, detail: [asked.plain, 'began'].filter(Boolean).join(' · ') };
    case 'post_tool_use':
      return { family: 'tool', verb: tool, code: asked.code, detail: took(data, asked.plain) };
    case 'post_tool_use_failure':
      return { family: 'fail', verb: `${tool} failed`, detail: reason(text(data['error'])) };
    case 'post_tool_batch': {
      const calls = Array.isArray(data['tool_calls']) ? data['tool_calls'].length : 0;
      return { family: 'system', verb: 'Batch', detail: calls === 1 ? '1 call answered' : `${calls} calls answered` };
    }
    case 'permission_request':
      return { family: 'ask', verb: tool === 'Bash' ? 'Asks to run' : `Asks for ${tool}`, code: asked.code, detail: asked.plain };
    case 'permission_denied':
      return { family: 'ask', verb: `${tool} refused`, code: asked.code };
    case 'notification':
      return { family: 'system', verb: 'Notification', detail: text(data['message']) };
    case 'subagent_start':
      return { family: 'agent', verb: text(data['agent_type']) || 'subagent', detail: 'started' };
    case 'subagent_stop': {
      const type = text(data['agent_type']);
      if (!type) return { family: 'system', verb: 'Compaction', detail: 'summarised' };
      return { family: 'agent', verb: type, detail: `finished · ${text(data['last_assistant_message'])}` };
    }
    case 'stop':
      return { family: 'answer', verb: 'Answered', detail: text(data['last_assistant_message']) };
    case 'stop_failure':
      return { family: 'fail', verb: 'Turn failed', detail: text(data['last_assistant_message']) || text(data['error']) };
    case 'session_start':
      return { family: 'system', verb: 'Session began', detail: [text(data['source']), event.actormodel ?? ''].filter(Boolean).join(' · ') };
    case 'session_end':
      return { family: 'system', verb: 'Session ended', detail: text(data['reason']) };
    case 'message_display':
      return { family: 'answer', verb: 'Says', detail: text(data['delta']) };
    default:
      return { family: 'system', verb: words(hook), detail: gist(data) };
  }
}

function took(data: Fields, plain: string): string {
  const ms = number(data['duration_ms']);
  return [plain, ms === null ? '' : duration(ms)].filter(Boolean).join(' · ');
}

function measured(event: LogEvent, data: Fields): Said {
  const name = event.type.slice('claude_code.'.length);
  if (name === 'api_request') {
    const parts = [text(data['model']), money(number(data['cost_usd']), 4), duration(number(data['duration_ms']))];
    return { family: 'system', verb: 'Request', detail: parts.join(' · ') };
  }
  if (name === 'api_error') return { family: 'fail', verb: 'Request failed', detail: text(data['error']) };
  return { family: 'system', verb: words(name), detail: text(data['tool_name']) || text(data['hook_name']) };
}

function own(event: LogEvent, data: Fields): Said {
  if (event.type === 'tacho.alert') {
    return { family: 'reaction', verb: 'alert', detail: text(data['message']) || text(data['condition']) };
  }
  if (event.type === 'tacho.dead_letter') {
    return { family: 'fail', verb: `${text(data['handler'])} gave up`, detail: text(fields(data['error'])['message']) };
  }
  return { family: 'reaction', verb: event.type.slice('tacho.'.length), detail: gist(data) };
}

const SEVEN: Record<string, (data: Fields) => Said> = {
  task_queued: (data) => ({
    family: 'turn',
    verb: `Task ${text(data['task_id'])}`,
    detail: `queued for ${text(data['feature'])} · about ${money(number(data['est_cost']))}`,
  }),
  agent_started: (data) => ({ family: 'agent', verb: text(data['agent']), detail: `started ${text(data['task_id'])} · ${text(data['model'])}` }),
  agent_completed: (data) => {
    const status = text(data['status']);
    const detail = `${status} · ${duration(number(data['duration_ms']))} · ${money(number(data['cost_usd']))}`;
    return { family: status === 'failed' ? 'fail' : 'agent', verb: text(data['agent']), detail };
  },
  validation_complete: (data) => {
    const passed = fields(data['result'])['passed'] === true;
    return { family: passed ? 'done' : 'fail', verb: passed ? 'Validation passed' : 'Validation failed', detail: text(data['task_id']) };
  },
  hitl_escalated: (data) => ({ family: 'ask', verb: 'Needs a person', detail: `${text(data['task_id'])} · ${text(data['last_error'])}` }),
  hitl_acknowledged: (data) => ({ family: 'ask', verb: 'Seen', detail: [text(data['by']), text(data['note'])].filter(Boolean).join(' · ') }),
  hitl_answered: (data) => ({ family: 'done', verb: 'Answered', detail: text(data['answer']) }),
  hitl_resolved: (data) => ({ family: 'done', verb: 'Resolved', detail: text(data['task_id']) }),
  budget_warning: (data) => ({ family: 'reaction', verb: 'Budget at 80 %', detail: gist(data) }),
  budget_exceeded: (data) => ({ family: 'fail', verb: 'Budget exceeded', detail: gist(data) }),
};

function domain(event: LogEvent, data: Fields): Said {
  const failed = event.severity === 'error' || /(?:Failed|failed|Error|error)$/.test(event.type);
  return { family: failed ? 'fail' : 'marker', verb: event.type, detail: gist(data) };
}

/** The first values that say something. */
function gist(data: Fields): string {
  const values: string[] = [];
  for (const [key, value] of Object.entries(data)) {
    if (values.length === 3) break;
    if (typeof value === 'string' && value !== '' && !key.endsWith('_id')) values.push(value.split('\n')[0] ?? '');
    else if (typeof value === 'number') values.push(key.endsWith('_ms') ? duration(value) : `${words(key).toLowerCase()} ${value}`);
  }
  return values.join(' · ');
}

function words(name: string): string {
  const spaced = name.replaceAll('_', ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
