/** Telemetry tells what hooks do not: what each request to a model cost. */
import { type Fields, number, text } from './event';
import type { ModelRequest, Session } from './session';

export function request(session: Session, data: Fields, at: number): void {
  const id = text(data['request_id']);
  if (id) {
    if (session.requestIds.has(id)) return;
    session.requestIds.add(id);
  }
  session.requests.push(read(data, at));
  session.model ||= text(data['model']);
}

export function read(data: Fields, at: number): ModelRequest {
  const micros = number(data['cost_usd_micros']);
  return {
    at,
    model: text(data['model']),
    agentId: text(data['agent_id']),
    promptId: text(data['prompt.id']),
    // Micros are whole: a sum of them is exact.
    costUsd: micros !== null ? micros / 1e6 : number(data['cost_usd']),
    input: number(data['input_tokens']) ?? 0,
    output: number(data['output_tokens']) ?? 0,
    cacheRead: number(data['cache_read_tokens']) ?? 0,
    cacheWrite: number(data['cache_creation_tokens']) ?? 0,
    durationMs: number(data['duration_ms']) ?? 0,
  };
}
