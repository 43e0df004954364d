import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addFlags, flagsOf, inputOf, positionalsOf } from '../../src/cli/tool-flags.ts';
import { findTool, tools } from '../../src/tools/index.ts';
import type { Tool } from '../../src/tools/tool.ts';

const tool = (name: string): Tool => {
  const found = findTool(name);
  if (found === undefined) throw new Error(`no tool ${name}`);
  return found;
};

function parsed(name: string, words: string[], positionals: string[] = []): Record<string, unknown> {
  const command = new Command().exitOverride();
  addFlags(command, tool(name));
  command.parse(words, { from: 'user' });
  return inputOf(tool(name), command.opts(), positionals);
}

describe('flags from a tool’s schema', () => {
  it.each(tools.map(({ name }) => name))('%s: every field but `as` has a flag in kebab-case', (name) => {
    const fields = Object.keys(tool(name).input.shape).filter((field) => field !== 'as');
    expect(flagsOf(tool(name)).map(({ field }) => field)).toEqual(fields);
    for (const { flag } of flagsOf(tool(name))) expect(flag).toMatch(/^[a-z][a-z0-9-]*$/);
  });

  it('turns words into what the schema asks for', () => {
    expect(
      parsed(
        'send',
        ['--to', 'a,b', '--to', 'c', '--expires-in-seconds', '60', '--no-expects-reply', '--allow-duplicate', '--attachments', 'x.ts'],
        ['hello'],
      ),
    ).toEqual({
      to: ['a', 'b', 'c'],
      body: 'hello',
      expires_in_seconds: 60,
      expects_reply: false,
      allow_duplicate: true,
      attachments: ['x.ts'],
    });
  });

  it('gives one recipient as a text, several as a list', () => {
    expect(parsed('send', ['--to', 'role:reviewer']).to).toBe('role:reviewer');
    expect(parsed('ack', ['--ids', 'msg_1']).ids).toEqual(['msg_1']);
  });

  it('refuses what is no number, and a field given twice', () => {
    expect(() => parsed('recv_batch', ['--max', 'many'])).toThrow('--max must be a number.');
    expect(() => parsed('send', ['--body', 'a'], ['b'])).toThrow('body is given twice');
  });

  it('knows what may stand without a flag', () => {
    expect(Object.fromEntries(tools.map((one) => [one.name, positionalsOf(one)]))).toMatchObject({
      send: ['body'],
      message_status: ['message_id'],
      get_message: ['message_id'],
      get_thread: ['thread_id'],
      requeue_dead: ['message_id'],
      ack: ['receipt'],
      list_agents: [],
      recv_batch: [],
    });
  });
});
