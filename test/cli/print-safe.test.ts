import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printSafe, printSafeBlock, printSafeLine, safeJson } from '../../src/cli/print-safe.ts';
import { table } from '../../src/cli/table.ts';
import { ACTIVE, TERMINAL_CORPUS as CORPUS } from '../security/terminal-corpus.ts';

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
