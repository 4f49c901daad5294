import { expect, test } from 'vitest';
import type { LogEvent } from '../../src/fold/event';
import { sumRequests } from '../../src/fold/session';
import { folded } from './capture';

const request = (position: number, data: Record<string, unknown>): LogEvent => ({
  id: `r${position}`,
  source: '/otlp',
  type: 'claude_code.api_request',
  subject: 'session/s',
  sessionid: 's',
  time: '2026-11-20T10:00:00Z',
  position,
  data: { 'session.id': 's', 'prompt.id': 'p1', model: 'claude-sonnet-4-5', ...data },
});

test('a request that is told twice costs once, and numbers may be strings', () => {
  const one = { request_id: 'req_1', input_tokens: '1200', output_tokens: 42, cache_read_tokens: '5000', cost_usd: 0.006854999999999999, cost_usd_micros: '6855' };
  const session = folded([request(1, one), request(2, one), request(3, { ...one, request_id: 'req_2' })]).sessions.get('s')!;
  expect(sumRequests(session.requests)).toMatchObject({ costUsd: 0.01371, input: 2_400, output: 84, cacheRead: 10_000, unpriced: 0 });
});

test('a request without a price is unpriced, never free', () => {
  const session = folded([request(1, { request_id: 'req_1', input_tokens: 10 })]).sessions.get('s')!;
  expect(sumRequests(session.requests)).toMatchObject({ costUsd: null, unpriced: 1 });
});
