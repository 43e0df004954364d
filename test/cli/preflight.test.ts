import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { loadFailure, refusalOf } from '../../src/preflight.ts';
import { scratch } from '../support/engines.ts';
import { start, withoutNativePart } from './command-line.ts';

describe('preflight', () => {
  it('says on Windows what to do', () => {
    expect(refusalOf('win32', '22.1.0')).toMatchObject({
      message: expect.stringContaining('Windows'),
      hint: expect.stringContaining('WSL'),
    });
  });

  it('names the Node it needs', () => {
    for (const old of ['18.20.0', '20.18.3']) expect(refusalOf('linux', old)?.message).toContain('20.19');
    for (const fine of ['20.19.0', '22.0.0', '24.1.0']) expect(refusalOf('darwin', fine)).toBeUndefined();
  });

  it('knows a missing package from a defect', () => {
    const missing = Object.assign(new Error("Cannot find package 'commander' imported from x"), { code: 'ERR_MODULE_NOT_FOUND' });
    expect(loadFailure(missing)).toEqual({
      message: 'A package that Rookery needs is missing: commander.',
      hint: expect.stringContaining('npm ci'),
    });
    expect(loadFailure(new Error('something else'))).toBeUndefined();
  });

  it('ends stdio with one sentence when the native part is missing, in a few times the start of Node, while its input stays open', async () => {
    const main = withoutNativePart();
    const node = timed(() => execFileSync(process.execPath, ['-e', '0']));
    const since = performance.now();
    const stdio = start(['stdio'], { home: scratch(), main });
    stdio.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })}\n`);
    const { code, stderr } = await stdio.ended;
    // M-08 says two seconds; machines differ, so the measure is what starting Node costs here.
    expect(performance.now() - since).toBeLessThan(30 * node);
    expect(code).toBe(3);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^rookery: The native part of better-sqlite3 is missing.*npm rebuild/),
    ]);
  });

  it('lets the doctor say so', async () => {
    const { code, stdout } = await start(['doctor', '--json'], { home: scratch(), main: withoutNativePart() }).ended;
    expect(code).toBe(3);
    const { findings } = JSON.parse(stdout);
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'native_module', status: 'fail', fix: expect.stringContaining('npm rebuild') }),
    );
    expect(findings).toContainEqual(expect.objectContaining({ check: 'database', status: 'unknown' }));
  });
});

function timed(work: () => void): number {
  const since = performance.now();
  work();
  return performance.now() - since;
}
