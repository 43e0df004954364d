import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printSafe, printSafeBlock, printSafeLine, safeJson } from '../../src/cli/print-safe.ts';
import { table } from '../../src/cli/terminal.ts';

/** What a terminal obeys, hides or turns round. */
const CORPUS = [
  '\u001b[31mred\u001b[0m',
  '\u001b]52;c;ZXZpbA==\u0007',
  '\u001b]8;;https://evil.example\u001b\\link\u001b]8;;\u001b\\',
  '\u001bPq#0;2;0;0;0\u001b\\',
  '\u009b2J\u009d0;title\u009c',
  'over\rwritten',
  'back\b\b\b\bspace',
  'bell\u0007 vertical\u000b form\u000c del\u007f nul\u0000',
  'user\u202egnp.exe\u202c',
  '\u2066isolated\u2069 \u061c \u200e \u200f',
  'zero\u200bwidth\u200c\u200d\u2060\ufeff',
  'tags\u{e0001}\u{e0041}\u{e007f}',
  'variation\ufe0f\u{e0100}\u{e01ef}',
  'soft\u00adhyphen grapheme\u034fjoiner hangul\u115f\u1160\u3164\uffa0 braille\u2800',
  'line\u2028paragraph\u2029next\u0085',
  'private\ue000\u{f0000} lone\ud800',
  'interlinear\ufff9\ufffa\ufffb shorthand\u{1bca0} music\u{1d173}',
];
const ACTIVE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;

describe('what agents wrote, on a terminal', () => {
  it.each(CORPUS)('%j is shown and does not act', (text) => {
    expect(printSafeLine(text)).not.toMatch(ACTIVE);
    expect(printSafe(text).replaceAll('\n', '')).not.toMatch(ACTIVE);
    expect(printSafeBlock(text).replaceAll('\n', '')).not.toMatch(ACTIVE);
    expect(table(['x'], [[text]]).join('')).not.toMatch(ACTIVE);
  });

  it.each(CORPUS)('%j is safe as JSON, and means the same', (text) => {
    expect(safeJson({ text })).not.toMatch(ACTIVE);
    expect(JSON.parse(safeJson({ text }))).toEqual({ text });
  });

  it('holds for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printSafeLine(text)).not.toMatch(ACTIVE);
        expect(JSON.parse(safeJson([text]))).toEqual([text]);
      }),
    );
  });

  it('leaves ordinary words of any script as they are', () => {
    for (const text of ['plain', 'Grüße, 世界 🎉', 'עברית', 'हिन्दी', 'a\u0301']) expect(printSafe(text)).toBe(text);
  });

  it('marks every line of a body, so that none can pass for a header', () => {
    expect(printSafeBlock('one\nfrom=operator\r\nthree')).toBe('  | one\n  | from=operator\n  | three');
  });

  it('keeps a row of a table in its row, and columns aligned by what is seen', () => {
    const lines = table(
      ['name', 'x'],
      [
        ['世界', '1'],
        ['a\nb', '2'],
      ],
    );
    expect(lines).toEqual(['name  x', '世界  1', 'a\\nb  2']);
  });
});
