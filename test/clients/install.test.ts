// Installing into clients and taking out again, on files as people have them: what was theirs is theirs, byte for byte.

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { HOOKS, type HookClient } from '../../src/clients/hook-events.ts';
import { CLIENTS } from '../../src/clients/install/client.ts';
import { clients } from '../../src/clients/install/clients.ts';
import { ownHooks } from '../../src/clients/install/json-edits.ts';
import { shellWords } from '../../src/clients/install/program.ts';
import { refused } from '../support/acts.ts';
import { acts, desk } from './desk.ts';

const ALL = [...CLIENTS];

describe('a client without settings', () => {
  it.each(ALL)('%s gets them, and is as it was afterwards', async (client) => {
    for (const scope of ['user', 'project'] as const) {
      const { install, uninstall, state, home, project } = desk();
      const before = [state(), readdirSync(home), readdirSync(project)];
      expect(acts(await install([client], { scope }))).not.toContain('none');
      expect(Object.keys(state()).length).toBeGreaterThan(0);
      expect(acts(await install([client], { scope })).every((act) => act === 'none')).toBe(true);
      expect(acts(await uninstall([client], { scope }))).not.toContain('none');
      expect([state(), readdirSync(home), readdirSync(project)]).toEqual(before);
      expect(acts(await uninstall([client], { scope })).every((act) => act === 'none')).toBe(true);
    }
  });
});

/** How many hooks of each event the table has. */
function hooksOf(client: HookClient): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { event } of HOOKS[client]) counts[event] = (counts[event] ?? 0) + 1;
  return counts;
}

/** Settings as they are found in the wild. */
const CLAUDE = `{
    // my own
    "model": "opus", // the large one
    "hooks": {
        "Stop": [
            { "hooks": [ { "type": "command", "command": "say done" } ] },
        ],
        /* loud */ "Notification": [],
    },
    "permissions": { "allow": ["Bash(ls:*)"], "deny": [] },
}
`;
const CODEX = `# mine
model = "gpt-5.5"   # good

[mcp_servers]
inline = { command = "x", args = ["1", "2"] }

[mcp_servers.other]
command = "node"
args = [
  "a", # first
  "b",
]

[projects."/home/me/a b"]
trust_level = "trusted"`;

describe('a client with settings of its own', () => {
  it('keeps them, in every form, and gets them back byte for byte', async () => {
    for (const change of [
      (text: string) => text,
      (text: string) => text.replaceAll('\n', '\r\n'),
      (text: string) => `\uFEFF${text}`,
      (text: string) => text.replace(/\n$/, ''),
      (text: string) => text.replaceAll('    ', '\t'),
    ]) {
      const { put, text, install, uninstall, state } = desk();
      put('.claude/settings.json', change(CLAUDE));
      put('.claude.json', change('{"numStartups":3,"mcpServers":{"other":{"command":"x"}}}\n'));
      put('.codex/config.toml', change(CODEX).replace('\uFEFF', ''));
      put('.codex/hooks.json', change('{ "hooks": { "Stop": [{ "hooks": [{ "type": "command", "command": "beep" }] }] } }\n'));
      const before = state();
      await install(['claude', 'codex']);
      const settings = text('.claude/settings.json');
      for (const kept of ['// my own', '// the large one', '"say done"', '/* loud */', '"Bash(ls:*)"']) expect(settings).toContain(kept);
      expect(ownHooks(settings.replace('\uFEFF', ''), 'x')).toEqual(hooksOf('claude'));
      expect(ownHooks(text('.codex/hooks.json').replace('\uFEFF', ''), 'x')).toEqual(hooksOf('codex'));
      expect(parse(text('.codex/config.toml'))).toMatchObject({
        mcp_servers: { inline: { command: 'x' }, other: { args: ['a', 'b'] }, hub: { tool_timeout_sec: 120 } },
      });
      await uninstall(['claude', 'codex']);
      expect(state()).toEqual(before);
    }
  });

  it('loses nothing that it wrote meanwhile, and all that is ours', async () => {
    const { put, text, install, uninstall, has } = desk();
    put('.claude/settings.json', CLAUDE);
    put('.codex/config.toml', CODEX);
    await install(['claude', 'codex']);
    put('.claude/settings.json', text('.claude/settings.json').replace('"opus"', '"sonnet"'));
    put(
      '.codex/config.toml',
      `${text('.codex/config.toml')}\n\n[mcp_servers.hub.tools.send]\napproval_mode = "approve"\n\n[tui]\nnotifications = true\n`,
    );
    put('.claude.json', text('.claude.json').replace('{', '{\n  "numStartups": 4,'));
    await uninstall(['claude', 'codex']);
    expect(text('.claude/settings.json')).toBe(CLAUDE.replace('"opus"', '"sonnet"'));
    expect(text('.codex/config.toml')).toBe(`${CODEX}\n\n\n[tui]\nnotifications = true\n`);
    expect(JSON.parse(text('.claude.json'))).toEqual({ numStartups: 4 });
    expect(has('.codex/hooks.json')).toBe(false);
  });

  it('lets go of a file that it had emptied, and of one that is gone', async () => {
    const { put, install, uninstall, has, home } = desk();
    await install(['claude', 'codex']);
    rmSync(join(home, '.claude'), { recursive: true });
    put('.codex/hooks.json', '{ "hooks": {} }\n');
    expect(acts(await uninstall(['claude', 'codex'])).sort()).toEqual(['delete', 'delete', 'none', 'none']);
    expect(has('.codex/hooks.json')).toBe(true);
    expect(acts(await uninstall(['claude', 'codex']))).toEqual(['none', 'none', 'none', 'none']);
  });

  it('keeps its rule for our tools, if it had one before us', async () => {
    const { put, text, install, uninstall } = desk();
    put('.claude/settings.json', '{ "permissions": { "allow": ["mcp__hub__*"] } }\n');
    await install(['claude']);
    put('.claude/settings.json', text('.claude/settings.json').replace('"permissions"', '"model": "x", "permissions"'));
    await uninstall(['claude']);
    expect(text('.claude/settings.json')).toBe('{ "model": "x", "permissions": { "allow": ["mcp__hub__*"] } }\n');
  });
});

describe('an installation that is there already', () => {
  it('is brought up to date in its place, with the name it was given', async () => {
    const { put, text, install } = desk();
    const older = { program: { node: '/opt/node-20/bin/node', main: '/home/me/old-rookery/dist/main.js' } };
    await install(['claude', 'codex'], { ...older, flags: { '--agent': 'ada', '--home': '/elsewhere' } });
    put(
      '.codex/hooks.json',
      text('.codex/hooks.json').replace('"Stop": [', '"Stop": [{ "hooks": [{ "type": "command", "command": "beep" }] }, '),
    );
    put('.claude.json', text('.claude.json').replace('"type"', '"timeout": 9, "type"'));
    const written = await install(['claude', 'codex']);
    expect(acts(written)).toEqual(['change', 'change', 'change', 'change']);
    const server = JSON.parse(text('.claude.json')).mcpServers.hub;
    expect(server).toEqual({
      timeout: 9,
      type: 'stdio',
      command: '/usr/bin/node',
      args: ['/opt/my "rookery"/dist/main.js', 'stdio', '--agent', 'ada'],
    });
    const { hooks } = JSON.parse(text('.codex/hooks.json'));
    expect(hooks.Stop[0].hooks[0].command).toBe('beep');
    expect(shellWords(hooks.Stop[1].hooks[0].command)).toEqual([
      '/usr/bin/node',
      '/opt/my "rookery"/dist/main.js',
      'hook',
      'Stop',
      '--client',
      'codex',
    ]);
    expect(text('.codex/config.toml')).not.toContain('old-rookery');
    expect(text('.claude/settings.json')).not.toContain('old-rookery');
  });

  it('that a person made by hand is taken over, and taken out', async () => {
    const { put, text, install, uninstall } = desk();
    put('.claude.json', '{\n  "mcpServers": {\n    "hub": { "command": "node", "args": ["/srv/rookery/dist/main.js", "stdio"] }\n  }\n}\n');
    await install(['claude']);
    expect(JSON.parse(text('.claude.json')).mcpServers.hub.command).toBe('/usr/bin/node');
    await uninstall(['claude']);
    expect(JSON.parse(text('.claude.json'))).toEqual({ mcpServers: {} });
  });

  it('carries quotes, blanks and dollars through every shell', () => {
    const main = '/opt/a "b" $c `d` \\e/dist/main.js';
    for (const client of clients.filter(({ name }) => name === 'codex')) {
      const { wished } = desk();
      const [one] = wished([client.name], { program: { node: '/usr/bin/node', main } });
      const hooks = one === undefined ? '' : (client.edits(one.wish)[1]?.install('') ?? '');
      const line = JSON.parse(hooks).hooks.Stop[0].hooks[0].command;
      expect(shellWords(line)).toEqual(['/usr/bin/node', main, 'hook', 'Stop', '--client', 'codex']);
      const heard = execFileSync('sh', ['-c', line.replace('/usr/bin/node', "printf '%s\\n'")], { encoding: 'utf8' });
      expect(heard).toBe(`${main}\nhook\nStop\n--client\ncodex\n`);
    }
  });
});

describe('what is not safe', () => {
  it.each([
    ['a file that is no JSON', '.claude/settings.json', '{ "hooks": ', 'conflict'],
    ['a list where an object belongs', '.claude/settings.json', '[]', 'conflict'],
    ['bytes that are no text', '.claude.json', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'conflict'],
    ['another server of the name', '.claude.json', '{"mcpServers":{"hub":{"command":"other-hub"}}}', 'conflict'],
    ['another server of the name, at a place', '.claude.json', '{"mcpServers":{"hub":{"type":"http","url":"http://x"}}}', 'conflict'],
    ['no TOML', '.codex/config.toml', 'model = ', 'conflict'],
    ['another server of the name, in TOML', '.codex/config.toml', '[mcp_servers.hub]\ncommand = "x"\n', 'conflict'],
  ] as const)('is refused whole: %s', async (_what, path, text, code) => {
    const { put, install, state } = desk();
    put(path, text);
    const before = state();
    const error = await refused(code, install(['claude', 'codex']));
    expect(error.message).toContain(path);
    expect(error.hint).toBeDefined();
    expect(state()).toEqual(before);
  });

  it('is refused whole where a folder cannot be', async () => {
    const { put, install, state } = desk();
    put('.codex', 'a file in the place of a folder');
    const before = state();
    const error = await refused('unavailable', install(['claude', 'codex']));
    expect(error.message).toContain('.codex');
    expect(state()).toEqual(before);
  });

  it('leaves a file alone that is marked read-only', async () => {
    const { put, install, state } = desk();
    chmodSync(put('.codex/config.toml', 'model = "x"\n'), 0o444);
    const before = state();
    const error = await refused('unavailable', install(['claude', 'codex']));
    expect(error.message).toContain('read-only');
    expect(state()).toEqual(before);
  });

  it('leaves a file alone that changes between the look and the writing', async () => {
    const { put, install, state } = desk();
    const path = put('.codex/hooks.json', '{}\n');
    const step = (name: string) => {
      if (name.startsWith('replace') && name.endsWith('config.toml')) writeFileSync(path, '{ "theirs": 1 }\n');
    };
    await refused('conflict', install(['codex'], {}, { step }));
    expect(Object.values(state())).toEqual(['{ "theirs": 1 }\n']);
  });
});

describe('links, modes and folders', () => {
  it('follows the links of a dotfile manager, and leaves them links', async () => {
    const { install, uninstall, home, root } = desk();
    const real = join(root, 'dotfiles', 'codex.toml');
    mkdirSync(dirname(real));
    writeFileSync(real, 'model = "x"\n', { mode: 0o640 });
    mkdirSync(join(home, '.codex'));
    const link = join(home, '.codex', 'config.toml');
    symlinkSync('../../dotfiles/codex.toml', link);
    await install(['codex']);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, 'utf8')).toContain('[mcp_servers.hub]');
    expect(lstatSync(real).mode & 0o777).toBe(0o640);
    await uninstall(['codex']);
    expect(readFileSync(real, 'utf8')).toBe('model = "x"\n');
    expect(readdirSync(dirname(real))).toEqual(['codex.toml']);
  });

  it('makes what is new the user’s alone, but a project’s files for its readers', async () => {
    const { install, mode, project } = desk();
    await install(['claude', 'codex']);
    expect([mode('.claude.json'), mode('.claude'), mode('.codex/config.toml')]).toEqual([0o600, 0o700, 0o600]);
    await install(['cursor', 'vscode']);
    expect(lstatSync(join(project, '.cursor', 'mcp.json')).mode & 0o777).toBe(0o644);
    expect(lstatSync(join(project, '.vscode')).mode & 0o777).toBe(0o755);
  });

  it('keeps a copy of what it changes, and not more of them than it should', async () => {
    const { put, install, uninstall, hub, around } = desk();
    put('.codex/config.toml', CODEX);
    for (let round = 0; round < 15; round++) {
      const [server] = await install(['codex'], {}, { now: around.now + round });
      expect(readFileSync(server?.backup ?? '', 'utf8')).toBe(CODEX);
      await uninstall(['codex']);
    }
    expect(readdirSync(join(hub, 'backups', 'clients')).filter((name) => name.endsWith('config.toml'))).toHaveLength(20);
  });
});

describe('any settings', () => {
  const member = fc.string({ maxLength: 5 }).filter((key) => !['__proto__', 'hooks', 'permissions', 'mcpServers'].includes(key));
  const settings = fc
    .record({
      own: fc.dictionary(member, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }),
      hooks: fc.option(
        fc.dictionary(fc.constantFrom('Stop', 'Other'), fc.array(fc.record({ hooks: fc.array(fc.record({ command: member })) }))),
      ),
      allow: fc.option(fc.array(member)),
      unit: fc.constantFrom('', '  ', '\t'),
      lineEnd: fc.constantFrom('\n', '\r\n'),
      tail: fc.constantFrom('', '\n'),
    })
    .map(({ own, hooks, allow, unit, lineEnd, tail }) => {
      const value = { ...own, ...(hooks === null ? {} : { hooks }), ...(allow === null ? {} : { permissions: { allow } }) };
      return (JSON.stringify(value, null, unit) + tail).replaceAll('\n', lineEnd);
    });

  it('are themselves again after installing once or twice, also when somebody has added to them meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(settings, fc.boolean(), async (text, twice) => {
        const { put, text: now, install, uninstall, home } = desk();
        put('.claude/settings.json', text);
        await install(['claude']);
        const once = now('.claude/settings.json');
        if (twice) await install(['claude']);
        expect(now('.claude/settings.json')).toBe(once);
        await uninstall(['claude']);
        expect(now('.claude/settings.json')).toBe(text);
        await install(['claude']);
        writeFileSync(join(home, '.claude/settings.json'), `${once} `);
        await uninstall(['claude']);
        expect(JSON.parse(now('.claude/settings.json'))).toEqual(JSON.parse(text));
        expect(existsSync(join(home, '.claude.json'))).toBe(false);
      }),
      { numRuns: 25 },
    );
  });
});
