import { expect, test } from 'vitest';
import { brief, tally, treeOf } from '../../src/fold/tree';

const NONE = { opened: new Map<string, boolean>(), onlyChanges: false };
const lines = (left: unknown, right: unknown, choice = NONE): string[] =>
  treeOf(left, right, choice).map((row) => `${'  '.repeat(row.depth)}${row.mark || ' '} ${row.name}: ${row.before} | ${row.after}`);

const A = { status: 'in_progress', phase: 'CODE', active: ['architect', 'specialist'], gaps: [{ gap_id: 'g1', severity: 'low' }], errors: [] };
const B = { status: 'in_progress', phase: 'TEST', active: ['specialist'], gaps: [{ gap_id: 'g1', severity: 'high' }, { gap_id: 'g2', description: 'no test' }], errors: [] };

test('two states side by side: what changed is open, what went away has its name', () => {
  expect(lines(A, B)).toEqual([
    '  status: in_progress | in_progress',
    '~ phase: CODE | TEST',
    '~ active: 2 | 1',
    '    specialist: specialist | specialist',
    '  − architect: architect | ',
    '~ gaps: 1 | 2',
    '  ~ g1: 2 fields | 2 fields',
    '      gap_id: g1 | g1',
    '    ~ severity: low | high',
    '  + g2:  | no test',
    '  errors: 0 | 0',
  ]);
  expect(tally(A, B)).toEqual({ changed: 2, added: 1, removed: 1 });
});

test('only changes, and what the reader shut stays shut', () => {
  expect(lines(A, B, { opened: new Map([['/gaps', false]]), onlyChanges: true })).toEqual(['~ phase: CODE | TEST', '~ active: 2 | 1', '  − architect: architect | ', '~ gaps: 1 | 2']);
  expect(lines(A, A, { ...NONE, onlyChanges: true })).toEqual([]);
});

test('every row has a path of its own, so that it can be opened', () => {
  const twice = { runs: [{ test_suite: 'unit', n: 1 }, { test_suite: 'unit', n: 2 }], other: [1, 1] };
  const rows = treeOf({ runs: [{ test_suite: 'unit', n: 0 }], other: [1, 1, 1] }, twice, { opened: new Map([['/runs/0', true]]), onlyChanges: false });
  expect(new Set(rows.map((row) => row.path)).size).toBe(rows.length);
});

test('a value is told in one line', () => {
  expect([brief(null), brief(undefined), brief([1, 2]), brief({}), brief({ since: '2026-01-05T08:00:00Z' }).length, brief('a\nb')]).toEqual(['–', '', '2', '–', 8, 'a…']);
  expect(brief('x'.repeat(500))).toHaveLength(121);
});
