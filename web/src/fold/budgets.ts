/** The last word about each budget, from `budget_warning` and `budget_exceeded`: each is told once. */
import { fields, type LogEvent, number, text, timeOf } from './event';
import type { CostAnswer } from './spending';
import { day } from './wording';

/** What has a budget, as the cost is grouped too. */
export const BUDGETED = ['session', 'feature', 'day'] as const;
export type Budgeted = (typeof BUDGETED)[number];

export interface Budget {
  key: string;
  of: Budgeted;
  /** The session, the feature, or the day as `2026-11-20`. */
  id: string;
  label: string;
  /** When it was told; more may have been spent since. */
  spent: number;
  limit: number;
  exceeded: boolean;
  at: number;
}

/** From events of which the newest comes first; so do the budgets. */
export function budgets(events: readonly LogEvent[]): Budget[] {
  const found = new Map<string, Budget>();
  for (const event of events) {
    const data = fields(event.data);
    const of = BUDGETED.find((one) => one === data['budget']);
    const [limit, spent] = [number(data['limit_usd']), number(data['spent_usd'])];
    if (!of || limit === null || spent === null || limit <= 0) continue;
    const id = text(data[of]);
    const key = `${of} ${id}`;
    if (!found.has(key)) found.set(key, { key, of, id, label: label(of, id), spent, limit, exceeded: event.type === 'budget_exceeded', at: timeOf(event) });
  }
  return [...found.values()];
}

function label(of: Budgeted, id: string): string {
  if (of === 'session') return `Session ${id.slice(0, 8)}`;
  return of === 'day' ? `Day ${day(Date.parse(`${id}T00:00:00`))}` : `Feature ${id}`;
}

/** What is spent by now, where the cost of its group is known. */
export function spentNow(budget: Budget, cost: Partial<Record<Budgeted, CostAnswer>>): number {
  const row = cost[budget.of]?.rows.find((one) => one[budget.of] === budget.id);
  return row?.cost_usd ?? budget.spent;
}
