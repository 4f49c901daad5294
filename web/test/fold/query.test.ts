import { expect, test } from 'vitest';
import { command, conditions, format, parse } from '../../src/list/query';

test('what is typed is what is shown', () => {
  for (const typed of ['type:claude.* since:2h', 'where:".data.cost_usd > 0.1" words to find', 'type:a type:b', 'min:500', '']) {
    expect(format(parse(typed))).toBe(typed);
  }
});

test('what is no condition is text', () => {
  expect(parse('http://x says hello').get('search')).toBe('http://x says hello');
  expect(parse('nonsense:1').get('search')).toBe('nonsense:1');
});

test('a least duration is a condition on the payload', () => {
  expect(conditions(parse('min:500')).get('where')).toBe('(.data.duration_ms // 0 | tonumber) >= 500');
  expect(conditions(parse('min:5 where:.data.x')).get('where')).toContain(') and (');
  expect(command(parse('type:claude.* session:abc'))).toBe("tacho events --type 'claude.*' --session abc");
});
