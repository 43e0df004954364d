import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { type ExportRecord, exportLines, readExport } from '../../src/care/export-file.ts';
import type { Hub } from '../../src/hub/hub.ts';
import type { Profile } from '../../src/hub/profile.ts';
import { events, operatorOf, refused, send } from '../support/acts.ts';
import { attach, onEveryEngine, PROJECT, testHub } from '../support/engines.ts';

const MERGE = { overwrite: false, remove: false };
const OVERWRITE = { overwrite: true, remove: false };
const REMOVE = { overwrite: true, remove: true };

/** A hub with something of everything in it, and every credential that it gave out. */
async function furnished(hub: Hub) {
  const operator = await operatorOf(hub);
  const secrets = [
    (await hub.tokens.create(operator, { agent: 'lead', role: 'manager' })).token,
    (await hub.tokens.create(operator, { agent: 'operator' })).token,
    (await hub.enrolments.create(operator, { name: 'ada', description: 'writes code', model: 'opus' }, { tool: 'agents.create' })).token ??
      '',
    (await hub.signIns.offer(operator)).code,
  ];
  const lead = await attach(hub, 'lead', { role: 'manager' });
  const enrolled = await hub.enrolments.create(lead, { name: 'ben', role: 'tester' }, { tool: 'create_agent' });
  secrets.push(enrolled.token ?? '');
  const plan = { request: { body: 'Release {{version}}' }, steps: [{ key: 'build', after: [], request: { title: 'Build {{version}}' } }] };
  await hub.taskTemplates.put(lead, 'release', plan, { tool: 'create_template' });
  await hub.taskTemplates.put(lead, 'release', { ...plan, request: { body: 'Release {{version}} now' } }, { tool: 'create_template' });
  await hub.reminders.remind(lead, { message: 'Stand-up', cron: '0 9 * * 1-5', timezone: 'Europe/Berlin' }, { tool: 'remind' });
  await hub.reminders.remind(lead, { message: 'Stand-up', cron: '0 9 * * 1-5', timezone: 'Europe/Berlin' }, { tool: 'remind' });
  await hub.reminders.remind(lead, { message: 'Once', inMs: 3_600_000 }, { tool: 'remind' });
  const { askId } = await hub.asks.ask(lead, { to: 'operator', question: 'yes?' }, { tool: 'ask' });
  await hub.reminders.remind(lead, { message: 'bound to an ask', inMs: 60_000, onlyIf: askId }, { tool: 'remind' });
  await send(hub, lead, 'ben', 'words that stay here');
  await hub.policies.set(operator, { level: 'global' }, 'limits.hops', 9);
  await hub.policies.set(operator, { level: 'project' }, 'limits.hops', 7);
  await hub.policies.set(operator, { level: 'project' }, 'guard.commands', [
    { name: 'deploy', match: 'make deploy', risk: 'high', why: 'it is live' },
  ]);
  await hub.policies.set(operator, { level: 'agent', agent: 'ben' }, 'tools.deny', ['create_*']);
  return { operator, lead, secrets };
}

const textOf = async (hub: Hub) =>
  [...exportLines({ policies: await hub.profiles.everywhere(), profiles: [await hub.profiles.read(PROJECT)] })].join('');
const read = (text: string) => readExport(Readable.from([text]));
const policiesOf = async (hub: Hub) => {
  const { policies } = await hub.profiles.read(PROJECT);
  return [...(await hub.profiles.everywhere()), ...policies].map(({ key, agent, value }) => [key, agent, value]);
};

onEveryEngine('export and import', (engine) => {
  it('come back as the same export on an empty hub, without a secret and without a word that was said', async () => {
    const hub = await testHub(engine);
    const { secrets } = await furnished(hub);
    const text = await textOf(hub);
    for (const secret of secrets) expect(text).not.toContain(secret.replace(/^\w+?_/, ''));
    expect(text).not.toContain('words that stay here');
    expect(text).not.toContain('bound to an ask');
    const other = await testHub(engine);
    const { policies, profiles } = await read(text);
    const [profile] = profiles;
    if (profile === undefined) throw new Error('no profile');
    const changes = await other.profiles.bring(await operatorOf(other), PROJECT, profile, MERGE);
    expect(new Set(changes.map(({ act }) => act))).toEqual(new Set(['add']));
    const operator = await operatorOf(other);
    expect(await other.profiles.bringEverywhere(operator, policies ?? [], MERGE)).toMatchObject([{ act: 'add', name: 'limits.hops' }]);
    expect(other.context.limitsOf({ projectId: PROJECT.id }).hops).toBe(7);
    expect(other.context.limitsOf({ projectId: 'another' }).hops).toBe(9);
    expect(await textOf(other)).toBe(text);
    expect(await other.profiles.bring(await operatorOf(other), PROJECT, profile, MERGE)).toEqual([]);
    expect((await other.verify())[0]?.problems).toEqual([]);
    await refused('forbidden', attach(other, 'lead', { nameByArgument: true }));
  });

  it('merge keeps what is here; overwrite makes it as in the file; only remove ends what the file has not', async () => {
    const hub = await testHub(engine);
    await furnished(hub);
    const [profile] = (await read(await textOf(hub))).profiles;
    if (profile === undefined) throw new Error('no profile');
    const other = await testHub(engine);
    const operator = await operatorOf(other);
    await other.tokens.create(operator, { agent: 'ada', role: 'reviewer' });
    await attach(other, 'local');
    const acts = async (mode: typeof MERGE) =>
      (await other.profiles.preview(PROJECT, profile, mode))
        .filter(({ kind }) => kind === 'agent')
        .map(({ act, name }) => `${act} ${name}`);
    const before = await textOf(other);
    expect(await acts(MERGE)).toEqual(['keep ada', 'add ben', 'add lead', 'extra local']);
    expect(await acts(OVERWRITE)).toEqual(['change ada', 'add ben', 'add lead', 'extra local']);
    expect(await acts(REMOVE)).toEqual(['change ada', 'add ben', 'add lead', 'remove local']);
    expect(await textOf(other)).toBe(before);
    await other.profiles.bring(operator, PROJECT, profile, MERGE);
    const roleOf = async (name: string) => (await other.profiles.read(PROJECT)).agents.find((one) => one.name === name)?.role;
    expect([await roleOf('ada'), await roleOf('local')]).toEqual(['reviewer', 'agent']);
    await other.profiles.bring(operator, PROJECT, profile, OVERWRITE);
    expect([await roleOf('ada'), await roleOf('local')]).toEqual(['agent', 'agent']);
    await other.profiles.bring(operator, PROJECT, profile, REMOVE);
    expect(await roleOf('local')).toBeUndefined();
    await other.profiles.bringEverywhere(operator, await hub.profiles.everywhere(), MERGE);
    expect(await textOf(other)).toBe(await textOf(hub));
    await refused('forbidden', attach(other, 'local'));
  });

  it('brings policies: merge keeps a value that is set here, overwrite takes the file’s, remove takes back what the file has not', async () => {
    const hub = await testHub(engine);
    await furnished(hub);
    const { policies = [], profiles } = await read(await textOf(hub));
    const [profile] = profiles;
    if (profile === undefined) throw new Error('no profile');
    const other = await testHub(engine);
    const operator = await operatorOf(other);
    await other.policies.set(operator, { level: 'global' }, 'limits.hops', 5);
    await other.policies.set(operator, { level: 'global' }, 'wake.for', 'urgent');
    await other.policies.set(operator, { level: 'project' }, 'limits.hops', 6);
    await other.policies.set(operator, { level: 'project' }, 'guard.edits', 'warn');
    const before = await policiesOf(other);
    const bring = async (mode: typeof MERGE) => {
      const planned = [
        ...(await other.profiles.previewEverywhere(policies, mode)),
        ...(await other.profiles.preview(PROJECT, profile, mode)),
      ];
      const done = await other.profiles.bringEverywhere(operator, policies, mode);
      expect([...done, ...(await other.profiles.bring(operator, PROJECT, profile, mode))]).toEqual(planned);
      return planned.filter(({ kind }) => kind === 'policy').map(({ act, name }) => `${act} ${name}`);
    };
    expect((await other.profiles.preview(PROJECT, profile, REMOVE)).length).toBeGreaterThan(3);
    expect(await policiesOf(other)).toEqual(before);
    const local = ['extra guard.edits', 'keep limits.hops'];
    expect(await bring(MERGE)).toEqual(['keep limits.hops', 'extra wake.for', 'add guard.commands', ...local, 'add tools.deny of ben']);
    expect(other.context.limitsOf({ projectId: PROJECT.id }).hops).toBe(6);
    expect(await bring(OVERWRITE)).toEqual(['change limits.hops', 'extra wake.for', 'extra guard.edits', 'change limits.hops']);
    await other.policies.refresh();
    expect([other.context.limits.hops, other.context.limitsOf({ projectId: PROJECT.id }).hops]).toEqual([9, 7]);
    expect(await bring(REMOVE)).toEqual(['remove wake.for', 'remove guard.edits']);
    expect(await policiesOf(other)).toEqual(await policiesOf(hub));
    expect((await events(other)).filter(({ type }) => type === 'policy.changed').map(({ subject }) => subject)).toEqual([
      ...['limits.hops', 'wake.for', 'limits.hops', 'guard.edits'],
      ...['guard.commands', 'tools.deny', 'limits.hops', 'limits.hops', 'wake.for', 'guard.edits'],
    ]);
  });

  it('refuses beforehand what could not be carried out', async () => {
    const hub = await testHub(engine);
    const operator = await operatorOf(hub);
    await hub.tokens.create(operator, { agent: 'gone' });
    await hub.revoking.revoke(operator, 'gone');
    const nothing = { project: PROJECT, agents: [], templates: [], policies: [], reminders: [] };
    const agent = {
      name: 'gone',
      name_source: 'given' as const,
      role: 'agent',
      description: '',
      model: '',
      capabilities: [],
      made_by: null,
    };
    const preview = (more: Partial<Profile>) => hub.profiles.preview(PROJECT, { ...nothing, ...more }, MERGE);
    const policy = (key: string, value: unknown, who: string | null = null) => preview({ policies: [{ key, agent: who, value }] });
    await refused('conflict', preview({ agents: [agent] }));
    expect((await refused('invalid_input', policy('wake.for', 'mail', 'nobody'))).message).toContain('nobody');
    await refused('invalid_input', policy('limits.hop', 3));
    await refused('invalid_input', policy('limits.hops', 0));
    await refused('invalid_input', policy('approvals.low', 'manager', 'operator'));
    await refused('invalid_input', hub.profiles.previewEverywhere([{ key: 'limits.hops', agent: null, value: 'many' }], MERGE));
    const due = { cron: null, timezone: null, max_runs: null, runs: 0, due_at: '2030-01-01T00:00:00.000Z' };
    await refused('invalid_input', preview({ reminders: [{ of: 'operator', for: 'nobody', message: 'x', ...due }] }));
  });

  it('is the operator’s, all or nothing, and gives nobody the operator’s role', async () => {
    const hub = await testHub(engine);
    const { lead } = await furnished(hub);
    const [profile] = (await read(await textOf(hub))).profiles;
    if (profile === undefined) throw new Error('no profile');
    await refused('forbidden', hub.profiles.bring(lead, PROJECT, profile, MERGE));
    const other = await testHub(engine);
    const [first, ...rest] = profile.agents;
    if (first === undefined) throw new Error('no agent');
    const evil = { ...profile, agents: [...rest, { ...first, name: 'zed', role: 'operator' }] };
    const before = await textOf(other);
    await refused('forbidden', hub.profiles.bringEverywhere(lead, [{ key: 'limits.hops', agent: null, value: 3 }], MERGE));
    await refused('forbidden', other.profiles.bring(await operatorOf(other), PROJECT, evil, MERGE));
    await refused('forbidden', other.profiles.preview(PROJECT, evil, MERGE));
    expect(await textOf(other)).toBe(before);
  });
});

it('reads the first version, upgrades older ones record by record, and refuses newer ones, cut ones and others', async () => {
  const first = await readExport(`${import.meta.dirname}/export-v1.ndjson`);
  expect(first.policies).toBeUndefined();
  const [fixture] = first.profiles;
  expect(fixture?.policies).toEqual([]);
  expect(fixture?.agents.map(({ name }) => name)).toEqual(['ada', 'lead']);
  const lines = (...records: object[]) => Readable.from([records.map((record) => `${JSON.stringify(record)}\n`).join('')]);
  const project = { project: { id: 'p-1', name: 'p', root: '/p' } };
  const old = { name: 'x', name_source: 'given', role: 'agent', model: '', capabilities: [], made_by: null };
  const upgrade = (record: ExportRecord): ExportRecord =>
    'agent' in record ? { agent: { ...(record.agent as object), description: 'new' } } : record;
  const { profiles } = await readExport(
    lines({ rookery_export: 1, kind: 'profile' }, project, { agent: old }, { end: true }),
    [upgrade],
    2,
  );
  expect(profiles[0]?.agents).toMatchObject([{ name: 'x', description: 'new' }]);
  expect((await refused('unavailable', readExport(lines({ rookery_export: 999, kind: 'profile' }, { end: true })))).message).toContain(
    'version 999',
  );
  expect((await refused('invalid_input', readExport(lines({ rookery_export: 1, kind: 'profile' }, project)))).message).toContain('cut off');
  await refused('invalid_input', readExport(Readable.from(['SQLite format 3\u0000'])));
  await refused(
    'invalid_input',
    readExport(lines({ rookery_export: 1, kind: 'profile' }, project, { agent: { ...old, token: 'x' } }, { end: true })),
  );
  const hop = { policy: { key: 'limits.hops', agent: null, value: 3 } };
  const head = { rookery_export: 2, kind: 'profile' };
  expect(await readExport(lines(head, { all_projects: true }, hop, project, hop, { end: true }))).toMatchObject({
    policies: [hop.policy],
    profiles: [{ policies: [hop.policy] }],
  });
  for (const records of [[hop], [{ all_projects: true }, { policy: { ...hop.policy, agent: 'ada' } }], [project, { all_projects: true }]])
    await refused('invalid_input', readExport(lines(head, ...records, { end: true })));
});
