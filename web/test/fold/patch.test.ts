import { expect, test } from 'vitest';
import { apply, at, invert, type Operation, parts, pointer, same } from '../../src/fold/patch';

const STATE = { phase: 'CODE', agents: ['a', 'b'], gaps: [{ id: 1, severity: 'low' }], 'a/b': { '~': true } };

/** Applies, tells what became of it, and that the inverse leads back. */
function check(patch: Operation[], expected: unknown): void {
  const before = structuredClone(STATE);
  const after = apply(before, patch);
  expect(after).toEqual(expected);
  expect(before).toEqual(STATE);
  expect(apply(after, invert(before, patch))).toEqual(STATE);
}

test('each operation of RFC 6902 does what it says, and its inverse leads back', () => {
  check([{ op: 'replace', path: '/phase', value: 'TEST' }], { ...STATE, phase: 'TEST' });
  check([{ op: 'add', path: '/agents/-', value: 'c' }], { ...STATE, agents: ['a', 'b', 'c'] });
  check([{ op: 'add', path: '/agents/0', value: 'c' }], { ...STATE, agents: ['c', 'a', 'b'] });
  check([{ op: 'remove', path: '/agents/0' }], { ...STATE, agents: ['b'] });
  check([{ op: 'replace', path: '/gaps/0/severity', value: 'high' }], { ...STATE, gaps: [{ id: 1, severity: 'high' }] });
  check([{ op: 'add', path: '/phase', value: null }], { ...STATE, phase: null });
  check([{ op: 'add', path: '/new', value: {} }, { op: 'add', path: '/new/deep', value: [1] }], { ...STATE, new: { deep: [1] } });
  check([{ op: 'move', from: '/agents/0', path: '/agents/1' }], { ...STATE, agents: ['b', 'a'] });
  check([{ op: 'move', from: '/phase', path: '/was' }], { agents: STATE.agents, gaps: STATE.gaps, 'a/b': STATE['a/b'], was: 'CODE' });
  check([{ op: 'copy', from: '/agents', path: '/seen' }], { ...STATE, seen: ['a', 'b'] });
  check([{ op: 'remove', path: '/a~1b/~0' }], { ...STATE, 'a/b': {} });
  check([{ op: 'test', path: '/phase', value: 'CODE' }], STATE);
  check([{ op: 'replace', path: '', value: { other: 1 } }], { other: 1 });
});

test('what does not fit the document is refused, not guessed', () => {
  for (const path of ['/nothing', '/agents/2', '/agents/x', '/phase/deep', '/gaps/0/no']) {
    expect(() => apply(STATE, [{ op: 'remove', path }]), path).toThrow();
  }
  expect(() => apply(STATE, [{ op: 'add', path: '/agents/3', value: 1 }])).toThrow(/no place 3/);
  expect(() => apply(STATE, [{ op: 'add', path: '/no/deep', value: 1 }])).toThrow(/no no/);
  expect(() => apply(STATE, [{ op: 'test', path: '/phase', value: 'TEST' }])).toThrow(/tested/);
});

test('what did not change is shared, so that many states take little room', () => {
  const after = apply(STATE, [{ op: 'add', path: '/agents/-', value: 'c' }]) as typeof STATE;
  expect(after.gaps).toBe(STATE.gaps);
  expect(after.agents).not.toBe(STATE.agents);
});

test('pointers are read and written as RFC 6901 says', () => {
  expect(parts('/a~1b/~0/0')).toEqual(['a/b', '~', '0']);
  expect(pointer(['a/b', '~', 0])).toBe('/a~1b/~0/0');
  expect(at(STATE, '/a~1b/~0')).toBe(true);
  expect(same({ a: 1, b: [2] }, { b: [2], a: 1 })).toBe(true);
  expect(same({ a: 1 }, { a: 1, b: undefined })).toBe(false);
});
