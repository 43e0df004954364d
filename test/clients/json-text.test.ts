// Edits of JSON with comments: what was put in stands where a person would have put it, and comes out again byte for byte.

import fc from 'fast-check';
import { type ParseError, parse } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import { appendAt, removeAt, setAt, valueAt } from '../../src/clients/install/json-text.ts';

const ENTRY = { command: '/usr/bin/node', args: ['/opt/my rookery/dist/main.js', 'stdio'] };

describe('putting in', () => {
  it.each([
    ['after a comment that ends a line', '{\n  "a": 1 // about a\n}\n', '{\n  "a": 1, // about a\n  "hub": {}\n}\n'],
    ['behind a trailing comma', '{\n\t"a": 1,\n}\n', '{\n\t"a": 1,\n\t"hub": {},\n}\n'],
    ['with the line ends of the file', '{\r\n    "a": 1\r\n}\r\n', '{\r\n    "a": 1,\r\n    "hub": {}\r\n}\r\n'],
    ['into one line', '{"a":1}', '{"a":1,"hub":{}}'],
    ['into one line with blanks', '{ "a": 1 }', '{ "a": 1, "hub": {} }'],
    ['into an empty object', '{}\n', '{\n  "hub": {}\n}\n'],
    ['into an empty file', '', '{\n  "hub": {}\n}\n'],
    ['below a comment that stands alone', '{\n  // nothing yet\n}\n', '{\n  // nothing yet\n  "hub": {}\n}\n'],
    ['above a comment that stands last', '{\n  "a": 1\n  // the end\n}\n', '{\n  "a": 1,\n  "hub": {}\n  // the end\n}\n'],
    ['behind a comment between value and comma', '{\n  "a": 1 /* one */ ,\n}', '{\n  "a": 1 /* one */ ,\n  "hub": {},\n}'],
  ])('%s', (_where, before, after) => {
    expect(setAt(before, ['hub'], {}, 'x.json')).toBe(after);
    expect(removeAt(after, ['hub'], 'x.json')).toBe(before === '' ? '{}\n' : before);
  });

  it('makes the objects on the way, and adds to lists', () => {
    const once = setAt('{\n  "a": [1]\n}\n', ['mcpServers', 'hub'], { command: 'x' }, 'x.json');
    expect(once).toBe('{\n  "a": [1],\n  "mcpServers": { "hub": { "command": "x" } }\n}\n');
    expect(appendAt(once, ['a'], 2, 'x.json')).toContain('"a": [1, 2],');
    expect(appendAt(once, ['b', 'c'], 2, 'x.json')).toContain('"b": { "c": [2] }');
  });

  it('breaks long values into lines, but not those of a list or a document that stands in one', () => {
    const long = { command: '/usr/bin/node', args: ['/opt/my rookery/dist/main.js', 'hook', 'UserPromptSubmit'], timeout: 10, async: true };
    const inLine = JSON.stringify(long)
      .replaceAll(':', ': ')
      .replaceAll(',', ', ')
      .replace(/^\{(.*)\}$/, '{ $1 }');
    expect(setAt('', ['a'], [long], 'x.json').split('\n').slice(0, 5)).toEqual([
      '{',
      '  "a": [',
      '    {',
      '      "command": "/usr/bin/node",',
      '      "args": ["/opt/my rookery/dist/main.js", "hook", "UserPromptSubmit"],',
    ]);
    expect(appendAt('{\n  "a": [{ "b": 1 }]\n}\n', ['a'], long, 'x.json')).toBe(`{\n  "a": [{ "b": 1 }, ${inLine}]\n}\n`);
    expect(appendAt('{"a":[{"b":1}]}', ['a'], long, 'x.json')).toBe(`{"a":[{"b":1},${JSON.stringify(long)}]}`);
  });

  it('changes nothing where the value stands already, whatever the order of its members', () => {
    const text = '{"hub": {"b": 1, "a": 2}}';
    expect(setAt(text, ['hub'], { a: 2, b: 1 }, 'x.json')).toBe(text);
  });
});

describe('what cannot be edited safely', () => {
  it.each([
    ['no JSON', '{"a": }'],
    ['a cut-off file', '{"a": {'],
    ['a list', '[1]'],
    ['a name that stands twice', '{"mcpServers": {}, "mcpServers": {}}'],
    ['a list where an object belongs', '{"mcpServers": []}'],
  ])('%s is refused, by its name', (_what, text) => {
    expect(() => setAt(text, ['mcpServers', 'hub'], ENTRY, 'x.json')).toThrow(/^x\.json/);
  });
});

/** A random document with comments, odd blanks and line ends, as text. */
const documents = fc
  .tuple(
    fc.dictionary(
      fc.string({ maxLength: 6 }).filter((key) => key !== '__proto__'),
      fc.jsonValue({ maxDepth: 3 }),
      { maxKeys: 5 },
    ),
    fc.constantFrom('\n', '\r\n'),
    fc.constantFrom('  ', '\t', '    ', ''),
    fc.boolean(),
    fc.array(fc.constantFrom('', ' // note', ' /* b */', '  '), { minLength: 8, maxLength: 8 }),
    fc.constantFrom('', '\n', '\n\n'),
    fc.boolean(),
  )
  .map(([value, lineEnd, unit, trailing, notes, tail, head]) => {
    if (unit === '') return JSON.stringify(value) + tail;
    let index = 0;
    const lines = JSON.stringify(value, null, unit)
      .split('\n')
      .map((line) => line + (notes[index++ % notes.length] ?? ''));
    const text = lines.join('\n');
    const commaed = trailing && Object.keys(value).length > 0 ? withTrailingComma(text) : text;
    return ((head ? '// head\n' : '') + commaed + tail).replaceAll('\n', lineEnd);
  })
  .filter((text) => {
    const errors: ParseError[] = [];
    parse(text, errors, { allowTrailingComma: true });
    return errors.length === 0;
  });

function withTrailingComma(text: string): string {
  const lines = text.split('\n');
  const last = lines.at(-2);
  if (last === undefined) return text;
  const found = /^(.*?)( \/\/ note| \/\* b \*\/| {2})?$/.exec(last);
  lines[lines.length - 2] = `${found?.[1] ?? last},${found?.[2] ?? ''}`;
  return lines.join('\n');
}

describe('any document', () => {
  it('is itself again after putting in and taking out', () => {
    fc.assert(
      fc.property(documents, fc.constantFrom('hub', 'a', 'mcpServers'), (text, key) => {
        const present = valueAt(text, [key], 'x.json') !== undefined;
        fc.pre(!present);
        const put = setAt(text, [key], ENTRY, 'x.json');
        expect(setAt(put, [key], ENTRY, 'x.json')).toBe(put);
        const out = removeAt(put, [key], 'x.json');
        expect(withoutBlankBraces(out)).toBe(withoutBlankBraces(text));
      }),
      { numRuns: 500 },
    );
  });
});

/** Only an object without members may come back with other blanks in it. */
function withoutBlankBraces(text: string): string {
  return text.replace(/^([^{]*)\{\s*\}/, '$1{}');
}
