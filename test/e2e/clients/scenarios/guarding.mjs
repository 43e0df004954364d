// The guard in the real clients, as `rookery install` puts it there: a risky command is held back, approved by the person, and passes once; a file
// that another agent holds is not edited; an agent can neither approve for itself nor commit what another holds.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { claudeEnv, claudeHome } from '../claude.mjs';
import { codexEnv, codexHome } from '../codex.mjs';
import { MAIN, rookery } from '../hub.mjs';
import { run } from '../process.mjs';
import { check, title } from '../report.mjs';
import { scriptedClaude } from '../scripted-claude.mjs';
import { scriptedCodex } from '../scripted-codex.mjs';

/** A rule of the operator's, on a command that harms nobody. */
const CONFIG = { guard: { commands: [{ name: 'paint', match: 'echo paint', risk: 'high', why: 'paints the shed' }] } };
const COMMAND = 'echo paint the shed';

export async function guarding({ clients, base }) {
  title('The guard: risky commands, edits and commits, in Claude Code and Codex');
  await inClaude(clients.claude, join(base, 'guarded-claude'));
  await inCodex(clients.codex, join(base, 'guarded-codex'));
}

/** A home with a hub, and a repository whose a.ts the operator holds. */
async function place(home) {
  const cwd = join(home, 'project');
  const hub = join(home, '.rookery');
  for (const folder of [cwd, hub]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(hub, 'config.json'), JSON.stringify(CONFIG), { mode: 0o600 });
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
  const git = (...args) => spawnSync('git', [...identity, ...args], { cwd, encoding: 'utf8', env: { PATH: process.env.PATH, HOME: home } });
  git('init', '-q');
  writeFileSync(join(cwd, 'a.ts'), 'one\n');
  git('add', '.');
  git('commit', '-qm', 'one');
  git('config', 'user.name', 't');
  git('config', 'user.email', 't@example.org');
  const cli = rookery({ home, cwd });
  await cli.call('call', 'reserve', JSON.stringify({ paths: ['a.ts'], reason: 'mine for now', ttl_seconds: 3600 }));
  await cli.call('guard', 'install');
  return { home, cwd, hub, cli };
}

const APPROVE = `'${process.execPath}' '${MAIN}'`;

/** What the agent tries, one after the other. `write` is the step that edits a.ts. */
function attempts({ hub, cwd }, bash, write) {
  const list = [
    () => ({ tool: 'whoami' }),
    () => bash(COMMAND),
    ({ text = '' }) => bash(`${APPROVE} approve ${idIn(text)} --home '${hub}'`),
    () => write(join(cwd, 'a.ts')),
    () => bash(`echo two > '${join(cwd, 'a.ts')}' && git -C '${cwd}' commit -qam two`),
  ];
  return script(list);
}

const script = (list) => (view) => list[view.allResults.length]?.(view.allResults.at(-1) ?? {}) ?? { text: 'DONE' };
const idIn = (text) => /apr_\w+/.exec(text)?.[0] ?? 'apr_none';
const said = (result) => result?.text ?? JSON.stringify(result ?? {});

function judgeAttempts(client, results, { cwd }) {
  const [, held, self, edit, commit] = results.map(said);
  check(
    `${client}: a risky command is held back with the id of its approval`,
    /The hub holds this command back: it paints the shed\. Approval apr_/.test(held),
    held,
  );
  check(`${client}: an agent cannot approve for itself`, /only a person may do this/.test(self), self);
  check(`${client}: a file that another holds is not edited`, /a\.ts is reserved exclusively by operator/.test(edit), edit);
  check(`${client}: nor committed`, /Not committed: a\.ts is reserved exclusively by operator/.test(commit), commit);
  check(`${client}: and is as it was, but for the shell`, readFileSync(join(cwd, 'a.ts'), 'utf8') === 'two\n');
}

/** The person approves, and the agent tries twice. */
async function approved(client, scene, again) {
  const { approvals } = await scene.cli.json('approvals');
  const own = approvals?.filter(({ action }) => action.endsWith(`\n${COMMAND}`)) ?? [];
  check(
    `${client}: the operator sees exactly the command and its folder, once`,
    own.length === 1 && own[0].action === `# in ${scene.cwd}\n${COMMAND}`,
    approvals,
  );
  await scene.cli.call('approve', own[0]?.approval_id ?? 'none');
  const [, first, second] = (await again()).map(said);
  check(`${client}: approved, it passes`, first?.includes('paint the shed') && !first.includes('holds this command back'), first);
  check(`${client}: once`, /holds this command back/.test(second), second);
}

async function inClaude(program, home) {
  const scene = await place(home);
  claudeHome(home, scene.cwd);
  await run(process.execPath, [MAIN, 'install', 'claude', '--agent', 'ada'], { env: claudeEnv(home, 9), cwd: scene.cwd });
  const bash = (command) => ({ tool: 'Bash', own: true, input: { command, description: 'try' } });
  const write = (path) => ({ tool: 'Write', own: true, input: { file_path: path, content: 'three\n' } });
  const session = async (steps) => {
    const model = await scriptedClaude(steps);
    const args = ['-p', 'go', '--output-format', 'stream-json', '--verbose', '--permission-mode', 'bypassPermissions'];
    const done = await run(program, args, { env: { ...claudeEnv(home, model.port), IS_SANDBOX: '1' }, cwd: scene.cwd });
    model.close();
    const results = model.turns().at(-1)?.allResults ?? [];
    if (results.length < 2) check('claude: the session ran', false, done);
    return results;
  };
  judgeAttempts('claude', await session(attempts(scene, bash, write)), scene);
  await approved('claude', scene, () => session(script([() => ({ tool: 'whoami' }), () => bash(COMMAND), () => bash(COMMAND)])));
}

async function inCodex(program, home) {
  const scene = await place(home);
  const bash = (cmd) => ({ tool: 'exec_command', own: true, input: { cmd } });
  const patch = (path) => bash(`apply_patch <<'EOF'\n*** Begin Patch\n*** Update File: ${path}\n@@\n-one\n+three\n*** End Patch\nEOF`);
  const session = async (steps) => {
    const model = await scriptedCodex(steps);
    codexHome(home, scene.cwd, model.port);
    await run(process.execPath, [MAIN, 'install', 'codex', '--agent', 'cody'], { env: codexEnv(home), cwd: scene.cwd });
    const args = [
      'exec',
      '--json',
      '--skip-git-repo-check',
      '-C',
      scene.cwd,
      '--dangerously-bypass-hook-trust',
      '--dangerously-bypass-approvals-and-sandbox',
      'go',
    ];
    const done = await run(program, args, { env: codexEnv(home), cwd: scene.cwd });
    model.close();
    const results = model.turns().at(-1)?.allResults ?? [];
    if (results.length < 2) check('codex: the session ran', false, done);
    return results;
  };
  judgeAttempts('codex', await session(attempts(scene, bash, patch)), scene);
  await approved('codex', scene, () => session(script([() => ({ tool: 'whoami' }), () => bash(COMMAND), () => bash(COMMAND)])));
}
