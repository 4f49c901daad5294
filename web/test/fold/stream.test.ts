import { expect, test } from 'vitest';
import { MessageReader } from '../../src/live/stream';

test('messages are whole, however the text is cut', () => {
  const text = 'retry: 1000\n\nid: 7\nevent: event\ndata: {"a":"b: c"}\n\n: a comment\n\nevent: heartbeat\ndata: {}\n\n';
  const wanted = [{ event: 'event', data: '{"a":"b: c"}' }, { event: 'heartbeat', data: '{}' }];
  for (let size = 1; size < text.length; size += 5) {
    const reader = new MessageReader();
    const found = [];
    for (let at = 0; at < text.length; at += size) found.push(...reader.read(text.slice(at, at + size)));
    expect(found).toEqual(wanted);
  }
});
