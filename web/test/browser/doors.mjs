// Answers of the doors that count, watch and deliver, as their contract says.
import { reactionDoors } from './reaction-doors.mjs';

const DAY = 86_400_000;
const dayBefore = (days) => new Date(Date.now() - days * DAY).toISOString().slice(0, 10);
const spent = (cost_usd, more = {}) => ({ cost_usd, input_tokens: 26_400, output_tokens: 9_000, cache_read_tokens: 110_000, cache_creation_tokens: 6_600, requests: 22, unpriced_requests: 0, ...more });

const ROWS = {
  model: [spent(1.89, { model: 'claude-opus-4-5' }), spent(1.4, { model: 'claude-sonnet-4-5' }), spent(null, { model: 'house-model', unpriced_requests: 3 })],
  agent: [spent(2.18, { agent: 'claude-code' }), spent(0.58, { agent: 'test-writer-fixer' })],
  feature: [spent(0.49, { feature: 'PROJ-123' }), spent(1.68, { feature: '' })],
  session: [spent(1.5, { session: 'b1f0c3e2-0000-4000-8000-000000000001' })],
  'model,day': [6, 5, 4, 2, 1, 0].flatMap((days) => [spent(0.7 + days * 0.2, { model: 'claude-opus-4-5', day: dayBefore(days) }), spent(0.3 + days * 0.1, { model: 'claude-sonnet-4-5', day: dayBefore(days) })]),
  day: [6, 5, 4, 2, 1, 0].map((days) => spent(1 + days * 0.3, { day: dayBefore(days) })),
};

const METRICS = {
  window_seconds: 3600, agent_utilization: { scribe: 0.155 }, agent_busy: { scribe: 0.15 }, cost_per_feature: 0.43, average_retry_count: 0.5,
  critic_rejection_rate: null, validation_pass_rate: 0.96, time_to_completion_seconds: 460, failure_rate: 0.094, models: {}, cost_usd: 4.18,
  trend: [6, 5, 4, 3, 2, 1].map((days) => ({ day: dayBefore(days), cost_usd: 8 + days, failure_rate: 0.04 + days / 500, validation_pass_rate: 0.9 + days / 100 })),
};

const ALERTS = {
  rules: [
    { condition: 'critic_rejection_rate > 0.50', action: 'notify_admin', message: 'The critic rejects too much', state: 'ok', current_value: 0.21, threshold: 0.5, fired_at: null },
    { condition: 'validation_pass_rate < 0.70', action: 'notify_admin', message: 'Too little passes', state: 'firing', current_value: 0.61, threshold: 0.7, fired_at: new Date(Date.now() - 240_000).toISOString() },
    { condition: 'cost_per_feature > 1.00', action: 'warn_user', message: 'A feature is dear', state: 'no_data', current_value: null, threshold: 1, fired_at: null },
  ],
  anomalies: [{ kind: 'anomaly', metric: 'repeated_call_count', agent: 'claude-code', message: 'the same Bash call failed 3 times' }],
};

const event = { specversion: '1.0', id: 'e1', source: '/api', type: 'hitl_escalated', subject: 'task/refresh-token-tests', position: 91, time: new Date().toISOString(), data: { task_id: 'refresh-token-tests', attempts: 3, priority: 'urgent' } };

export async function mockDoors(page) {
  const answer = (pattern, body) => page.route(pattern, (route) => route.fulfill({ json: typeof body === 'function' ? body(new URL(route.request().url())) : body }));
  await answer(/\/api\/metrics/, METRICS);
  await answer(/\/api\/cost/, (url) => {
    const by = url.searchParams.get('by');
    return { by, cost_usd: 18.3, unpriced_requests: 3, rows: ROWS[by] };
  });
  await answer(/\/api\/alerts$/, ALERTS);
  await answer(/\/api\/alerts\/history/, { alerts: [{ ...event, type: 'tacho.alert', data: { condition: 'validation_pass_rate < 0.70', current_value: 0.61, message: 'Too little passes' } }], next: null });
  await reactionDoors().mock(page);
}
