/** Answer of `GET /api/why/{category}/{id}`: the first cause, what followed from it, what was tried. */
import type { CauseNode } from './graph';

export interface Recovery {
  id: string;
  type: string;
  at: string;
  strategy: string;
  outcome: 'succeeded' | 'failed' | 'open';
  summary: string;
}

export interface Why {
  stream: string;
  failed: boolean;
  sentence: string;
  failure: CauseNode | null;
  first_cause: CauseNode | null;
  chain: CauseNode[];
  state_before: unknown;
  recoveries: Recovery[];
  next_actions: string[];
}
