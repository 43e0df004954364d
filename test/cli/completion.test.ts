import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratch } from '../support/engines.ts';
import { freshHub, programFile, start } from './command-line.ts';

const has = (shell: string) => spawnSync(shell, ['-c', 'exit 0']).status === 0;

/** The script of a shell, in a file; and a folder with a `rookery` in it for what the script asks of the hub. */
async function prepared(shell: string) {
  const { home } = await freshHub();
  const bin = scratch();
  writeFileSync(join(bin, 'rookery'), `#!/bin/sh\nexec '${process.execPath}' '${programFile()}' "$@"\n`);
  chmodSync(join(bin, 'rookery'), 0o755);
  const { code, stdout } = await start(['completion', shell], { home, input: '' }).ended;
  expect(code).toBe(0);
  const script = join(bin, `script.${shell}`);
  writeFileSync(script, stdout);
  const env = { PATH: `${bin}:${process.env.PATH ?? ''}`, HOME: home, ROOKERY_HOME: home, SCRIPT: script };
  const cwd = join(import.meta.dirname, '..', '..');
  const run = (program: string, args: string[]) =>
    execFileSync(program, args, { env, cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return { run, home };
}

describe('completion', () => {
  it.skipIf(!has('bash'))('is sourced by bash and knows commands, flags, values and names', async () => {
    const { run } = await prepared('bash');
    const tried = (...words: string[]) =>
      run('bash', [
        '--norc',
        '-uec',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of bash
        'source "$SCRIPT"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _rookery; echo "${COMPREPLY[*]}"',
        'bash',
        ...words,
      ])
        .trim()
        .split(' ');
    expect(tried('rookery', 'inb')).toEqual(['inbox']);
    expect(tried('rookery', 'inbox', '')).toEqual(['reviewer']);
    expect(tried('rookery', 'inbox', '--l')).toEqual(['--limit']);
    expect(tried('rookery', 'send', '--kind', '')).toEqual(['note', 'request', 'status', 'handoff']);
    expect(tried('rookery', 'send', '--to', 'rev')).toEqual(['reviewer']);
    expect(tried('rookery', 'task', 'graph', '--format', '')).toEqual(['mermaid', 'dot']);
    expect(tried('rookery', 'task', 'show', '--json', '--pro')).toEqual(['--project']);
    expect(tried('rookery', 'agents', 'create', '')).toEqual(['']);
    expect(tried('rookery', 'inbox', '--home', '/nonexistent/nowhere', '')).toEqual(['']);
  });

  it.skipIf(!has('zsh'))('is sourced by zsh without a word, and answers the same', async () => {
    const { run } = await prepared('zsh');
    const answered = run('zsh', [
      '-fc',
      'autoload -U compinit; compinit -D; source "$SCRIPT"; echo $_comps[rookery]; _rookery_values inbox 0; _rookery_values "task graph" --format; _rookery_flags inbox',
    ]);
    expect(answered.trim().split('\n')).toEqual(['_rookery', 'list agents', 'words mermaid dot', expect.stringContaining('--limit')]);
  });

  it.skipIf(!has('fish'))('is sourced by fish, with what everything is', async () => {
    const { run } = await prepared('fish');
    const tried = (line: string) =>
      run('fish', ['--no-config', '-c', `source "$SCRIPT"; complete -C '${line}'`])
        .trim()
        .split('\n');
    expect(tried('rookery inb')).toEqual(['inbox\twhat waits for an agent; it is not taken']);
    expect(tried('rookery inbox ')).toEqual(['reviewer\treviewer, gone']);
    expect(tried('rookery task gra')[0]).toMatch(/^graph\t/);
    expect(tried('rookery task graph --format d')[0]).toMatch(/^dot/);
    expect(tried('rookery task show --pro')[0]).toMatch(/^--project\t/);
  });

  it.skipIf(!has('bash'))('runs nothing that a name says', async () => {
    const { run, home } = await prepared('bash');
    const marker = join(home, 'ran');
    await start(['token', 'create', '--agent', 'ada', '--project', `$(touch ${marker})`], { home, input: '' }).ended;
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a line of bash
    const line = 'source "$SCRIPT"; COMP_WORDS=(rookery status --project ""); COMP_CWORD=3; _rookery; printf "%s\\n" "${COMPREPLY[@]}"';
    expect(run('bash', ['--norc', '-c', line])).toContain('touch');
    expect(existsSync(marker)).toBe(false);
  });

  it('names and ids are data: a line each, whatever is in them', async () => {
    const { home, run } = await freshHub();
    await run('task', 'create', 'one\ttab\nand a line \u001b[31m');
    const { stdout } = await start(['completion', '--list', 'tasks'], { home, input: '' }).ended;
    expect(stdout).toMatch(/^tsk_\w+\tone tab and a line [^\n\t]*\n$/);
  });

  it('makes no hub by asking', async () => {
    const home = join(scratch(), 'none');
    expect(await start(['completion', '--list', 'agents'], { home, input: '' }).ended).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect((await start(['completion', 'csh'], { home, input: '' }).ended).code).toBe(2);
  });
});

if (!has('zsh') || !has('fish')) process.stderr.write('completion: zsh or fish is not installed here, so their scripts are not tried.\n');
