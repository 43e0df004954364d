// What a caller is told of arguments that do not fit: the field, and what it should be.

import { expect, it } from 'vitest';
import { inPersonsWords } from '../../src/cli/tool-words.ts';
import { parseArguments } from '../../src/tools/arguments.ts';
import { send } from '../../src/tools/send.ts';

it.each([
  [{ body: 'x' }, 'to: is required.'],
  [{ to: 'ana' }, 'body: is required.'],
  [undefined, 'to: is required.'],
  [{ to: 5, body: 'x' }, 'to: expected string or array.'],
  [{ to: null, body: 'x' }, 'to: expected string or array.'],
  [{ to: ['ana', 5], body: 'x' }, 'to.1: Invalid input: expected string, received number.'],
  [{ to: 'ana', body: 'x', from: 'operator' }, 'from: unknown field. Who you are comes from your session, never from an argument.'],
])('of send with %j', (given, message) => {
  expect(() => parseArguments('send', send.input, given)).toThrow(message);
});

it('a person is told of the flags, not of the fields', () => {
  expect(inPersonsWords('body: is required. send takes: to (required), body (required), in_reply_to.')).toBe(
    'body: is required. rookery send --help shows what it takes.',
  );
  expect(inPersonsWords('ask_id: is required. list_my_asks takes: state.')).toContain('rookery list-my-asks --help');
});
