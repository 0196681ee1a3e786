// DAP's base protocol: messages survive any cutting of the byte stream; what is no DAP is refused.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeMessage, MessageReader } from '../../debug-adapter/framing.ts';

test('messages come out as they went in, however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue(), { maxLength: 5 }), fc.integer({ min: 1, max: 40 }), (messages, size) => {
      const bytes = messages.flatMap((m) => [...encodeMessage(m)]);
      const reader = new MessageReader();
      const out: unknown[] = [];
      for (let i = 0; i < bytes.length; i += size) out.push(...reader.push(Uint8Array.from(bytes.slice(i, i + size))));
      expect(JSON.stringify(out)).toBe(JSON.stringify(messages));
    }),
    { numRuns: 100 },
  );
});

test('the length is counted in bytes, not characters', () => {
  const [message] = new MessageReader().push(encodeMessage({ text: 'Größe 🙂' }));
  expect(message).toEqual({ text: 'Größe 🙂' });
});

test('other headers are allowed, a stream that is no DAP is refused', () => {
  const body = '{"a":1}';
  expect(new MessageReader().push(new TextEncoder().encode(`Content-Type: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`))).toEqual([
    { a: 1 },
  ]);
  expect(() => new MessageReader().push(new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'))).toThrow('no debug adapter protocol');
  expect(() => new MessageReader().push(new TextEncoder().encode('Content-Length: 99999999999\r\n\r\n'))).toThrow(
    'no debug adapter protocol',
  );
  expect(() => new MessageReader().push(new Uint8Array(5000).fill(65))).toThrow('no debug adapter protocol');
});
