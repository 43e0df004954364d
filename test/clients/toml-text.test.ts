// Edits of TOML by whole tables: appended, changed in place, cut out again byte for byte.

import fc from 'fast-check';
import { parse, stringify } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { appendTable, removeTable, tableAt, updateTable } from '../../src/clients/install/toml-text.ts';

const HUB = ['mcp_servers', 'hub'] as const;
const NOTE = 'Written by us.';
const VALUES = { command: '/usr/bin/node', args: ['/opt/my "rookery"/dist/main.js', 'stdio'], tool_timeout_sec: 120 };

const put = (text: string) => appendTable(text, HUB, NOTE, VALUES, 'config.toml');
const cut = (text: string) => removeTable(text, HUB, NOTE, 'config.toml');

describe('a table', () => {
  it.each([
    ['an empty file', ''],
    ['a file without a line end', 'model = "x"'],
    ['line ends of Windows', '# mine\r\nmodel = "x"\r\n\r\n[mcp_servers.other]\r\ncommand = "y"\r\n'],
    ['an inline server beside it', '[mcp_servers]\nother = { command = "y" }\n'],
    ['a dotted server beside it', 'mcp_servers.other.command = "y"\n'],
    ['a text that looks like it', 'note = """\n[mcp_servers.hub]\ncommand = "no"\n"""\n'],
    ['comments at the end', '[projects."/a"]\ntrust_level = "trusted"\n# the end\n\n\n'],
  ])('is put into %s and taken out again', (_what, before) => {
    const after = put(before);
    expect(tableAt(after, HUB, 'config.toml')).toEqual(VALUES);
    expect(after.startsWith(before)).toBe(true);
    expect(after.includes('\r\n')).toBe(before.includes('\r\n'));
    expect(cut(after)).toBe(before);
  });

  it('goes with the tables that the client has put below it, and leaves what came after', () => {
    const before = 'model = "x"\n';
    const grown = `${put(before)}\n# about the next\n[projects."/a"]\ntrust_level = "trusted"\n\n[mcp_servers.hub.tools.send]\napproval_mode = "approve"\n`;
    expect(cut(grown)).toBe('model = "x"\n\n# about the next\n[projects."/a"]\ntrust_level = "trusted"\n\n');
  });

  it('gets other values in its place, and keeps what somebody added to it', () => {
    const theirs = put('').replace('tool_timeout_sec = 120', 'enabled = false # for now\ntool_timeout_sec = 120 # long');
    const after = updateTable(theirs, HUB, { ...VALUES, command: '/opt/node', cwd: '/x' }, 'config.toml');
    expect(tableAt(after, HUB, 'config.toml')).toEqual({ ...VALUES, command: '/opt/node', cwd: '/x', enabled: false });
    expect(after).toContain('enabled = false # for now\ntool_timeout_sec = 120 # long');
    expect(updateTable(after, HUB, { ...VALUES, command: '/opt/node' }, 'config.toml')).toBe(after);
  });

  it.each([
    ['no TOML', 'model = '],
    ['all servers in one inline table', 'mcp_servers = { other = { command = "y" } }\n'],
  ])('is refused for %s', (_what, text) => {
    expect(() => put(text)).toThrow(/^config\.toml/);
  });

  it.each([
    ['an inline table', '[mcp_servers]\nhub = { command = "x" }\n'],
    ['values on several lines', '[mcp_servers.hub]\ncommand = "x"\nargs = [\n  "a",\n]\n'],
  ])('is not changed where it is written as %s', (_what, text) => {
    expect(() => updateTable(text, HUB, VALUES, 'config.toml')).toThrow(/^config\.toml/);
  });
});

const scalars = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.date({ noInvalidDate: true }),
  fc.array(fc.string(), { maxLength: 3 }),
);
const keys = fc.string({ minLength: 1, maxLength: 8 }).filter((key) => key !== '__proto__');
const tables = fc.dictionary(keys, fc.oneof(scalars, fc.dictionary(keys, scalars, { maxKeys: 3 })), { maxKeys: 4 });
const documents = fc
  .tuple(
    tables,
    fc.option(fc.dictionary(keys, fc.dictionary(keys, scalars, { minKeys: 1, maxKeys: 3 }), { minKeys: 1, maxKeys: 3 })),
    fc.constantFrom('\n', '\r\n'),
    fc.constantFrom('', '\n', '\n# the end\n', ' # on its line'),
  )
  .map(([table, servers, lineEnd, tail]) =>
    (stringify({ ...table, ...(servers === null ? {} : { mcp_servers: servers }) }).trimEnd() + tail).replaceAll('\n', lineEnd),
  )
  .filter((text) => {
    try {
      return !('hub' in ((parse(text).mcp_servers ?? {}) as object));
    } catch {
      return false;
    }
  });

describe('any document', () => {
  it('is itself again after putting in and cutting out', () => {
    fc.assert(
      fc.property(documents, (text) => {
        const after = put(text);
        expect(tableAt(after, HUB, 'config.toml')).toEqual(VALUES);
        expect(cut(after)).toBe(text);
      }),
      { numRuns: 300 },
    );
  });
});
