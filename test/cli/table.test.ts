import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { table, terminalColumns } from '../../src/cli/table.ts';

const ID = 'tsk_01kb4z7y3q5m8n2p6r9s0t1v';
const HEADERS = ['task', 'state', 'title', 'why'];
const ROW = [ID, 'claimable', 'Write the parser for the new format', 'nobody who is there has the capabilities that it needs'];

describe('a table on a terminal', () => {
  it('cuts the widest free text until it fits, and never an id', () => {
    const lines = table(HEADERS, [ROW], 100);
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(100);
    expect(lines[1]).toContain(ID);
    expect(lines[1]).toContain('…');
  });

  it('is a paragraph per row where even cut text would not fit, with nothing left out', () => {
    const lines = table(HEADERS, [ROW, [ID, 'completed', 'Done', '']], 60);
    expect(lines).toEqual([
      ID,
      '  state=claimable  title=Write the parser for the new format',
      '  why=nobody who is there has the capabilities that it needs',
      ID,
      '  state=completed  title=Done',
    ]);
  });

  it('leaves out what says nothing in any row before it cuts words', () => {
    const headers = ['name', 'client', 'options', 'why'];
    expect(table(headers, [['alice', '-', '', 'asked for twelve words']], 30)).toEqual(['name   why', 'alice  asked for twelve words']);
    expect(table(headers, [['alice', '-', '', 'asked']], 40)[0]).toBe('name   client  options  why');
  });

  it('is left whole where no terminal reads it', () => {
    const long = 'word '.repeat(60).trim();
    expect(terminalColumns({ isTTY: false, columns: 80 })).toBe(Number.POSITIVE_INFINITY);
    expect(terminalColumns({ columns: 0, isTTY: true })).toBe(Number.POSITIVE_INFINITY);
    expect(terminalColumns({ columns: 80, isTTY: true })).toBe(80);
    expect(table(['a', 'b'], [[long, 'x']], Number.POSITIVE_INFINITY)[1]).toBe(`${long}  x`);
  });

  it('fits any terminal that is wider than its longest word', () => {
    const cell = fc.oneof(fc.constant(ID), fc.constant('世界 の 言葉 は 長い です'), fc.lorem({ maxCount: 12 }), fc.constant('-'));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, cell, cell), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 50, max: 200 }),
        (rows, columns) => {
          const lines = table(HEADERS, rows, columns);
          for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
          for (const id of rows.flat().filter((one) => one === ID)) expect(lines.join('\n')).toContain(id);
        },
      ),
    );
  });
});
