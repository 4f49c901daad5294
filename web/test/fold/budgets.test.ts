import { expect, test } from 'vitest';
import { budgets, spentNow } from '../../src/fold/budgets';
import type { LogEvent } from '../../src/fold/event';

function told(position: number, type: string, data: Record<string, unknown>): LogEvent {
  return { specversion: '1.0', id: `e${position}`, source: '/tacho/budgets', type, position, time: '2026-11-20T10:00:00Z', data } as LogEvent;
}

test('the last word about each budget, by the name that a person knows', () => {
  const day = { budget: 'day', day: '2026-11-20', limit_usd: 2 };
  const newestFirst = [
    told(9, 'budget_warning', { budget: 'feature', feature: 'PROJ-7', limit_usd: 5, spent_usd: 4.1 }),
    told(8, 'budget_exceeded', { ...day, spent_usd: 2.1 }),
    told(7, 'budget_warning', { ...day, spent_usd: 1.7 }),
    told(6, 'budget_warning', { budget: 'session', session: 'b1f0c3e2-0000-4000-8000-000000000001', limit_usd: 1, spent_usd: 0.9 }),
    told(5, 'budget_reviewed', { by: 'somebody' }),
  ];
  const found = budgets(newestFirst);
  expect(found.map(({ label, exceeded, spent }) => [label, exceeded, spent])).toEqual([
    ['Feature PROJ-7', false, 4.1],
    ['Day 20 Nov', true, 2.1],
    ['Session b1f0c3e2', false, 0.9],
  ]);
  const cost = { day: { by: 'day', cost_usd: 3, rows: [{ day: '2026-11-20', cost_usd: 3 }] } };
  expect(found.map((one) => spentNow(one, cost))).toEqual([4.1, 3, 0.9]);
});
