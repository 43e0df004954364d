// What the stdio server does with lines that it does not let through: their sender learns of it by the id of its request, wherever that stands.

import { expect, it } from 'vitest';
import { LineLimit, type Refusal } from '../../src/server/lines.ts';

const LIMIT = 10_000;

/** Reads a text in pieces; answers what came through and what was refused. */
function through(text: string, piece = text.length): { passed: unknown[]; refused: [unknown, Refusal][] } {
  const refused: [unknown, Refusal][] = [];
  const passed: unknown[] = [];
  const lines = new LineLimit(
    LIMIT,
    (message) => passed.push(message),
    (id, why) => refused.push([id, why]),
  );
  for (let at = 0; at < text.length; at += piece) lines.read(Buffer.from(text.slice(at, at + piece)));
  return { passed, refused };
}

const long = 'x'.repeat(3 * LIMIT);
const params = { name: 'send', arguments: { to: 'bob', body: long, id: 99 } };

it.each([
  ['first, as Codex writes it', { jsonrpc: '2.0', id: 7, method: 'tools/call', params }, 7],
  ['last, as the TypeScript SDK writes it', { method: 'tools/call', params, jsonrpc: '2.0', id: 7 }, 7],
  ['before the version', { params, method: 'tools/call', id: 'a-7', jsonrpc: '2.0' }, 'a-7'],
  ['among the parameters only', { jsonrpc: '2.0', method: 'notifications/x', params: { long, id: 5 } }, null],
  ['in words that end like a message', { jsonrpc: '2.0', method: 'x', params: { body: `${long},"jsonrpc":"2.0","id":5}` } }, null],
])('a line that is too long is answered under its id: %s', (_where, message, id) => {
  for (const piece of [1_000_000, 1_000, 4_095]) {
    const { passed, refused } = through(`${JSON.stringify(message)}\n{"jsonrpc":"2.0","id":8,"method":"ping"}\n`, piece);
    expect(refused).toEqual([[id, 'too long']]);
    expect(passed).toEqual([{ jsonrpc: '2.0', id: 8, method: 'ping' }]);
  }
});

it('what is no message is refused, and what follows it is read', () => {
  const { passed, refused } = through('hello\n\n[1]\n5\n{"jsonrpc":"2.0","id":8,"method":"ping"}\n');
  expect(refused.map(([, why]) => why)).toEqual(['no JSON', 'no message', 'no message']);
  expect(passed).toHaveLength(1);
});
