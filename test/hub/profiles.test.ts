import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { type ExportRecord, exportLines, readExport } from '../../src/care/export-file.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { operatorOf, refused, send } from '../support/acts.ts';
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
  return { operator, lead, secrets };
}

const textOf = async (hub: Hub) => [...exportLines([await hub.profiles.read(PROJECT)])].join('');
const read = (text: string) => readExport(Readable.from([text]));

onEveryEngine('export and import', (engine) => {
  it('come back as the same export on an empty hub, without a secret and without a word that was said', async () => {
    const hub = await testHub(engine);
    const { secrets } = await furnished(hub);
    const text = await textOf(hub);
    for (const secret of secrets) expect(text).not.toContain(secret.replace(/^\w+?_/, ''));
    expect(text).not.toContain('words that stay here');
    expect(text).not.toContain('bound to an ask');
    const other = await testHub(engine);
    const [profile] = await read(text);
    if (profile === undefined) throw new Error('no profile');
    const changes = await other.profiles.bring(await operatorOf(other), PROJECT, profile, MERGE);
    expect(new Set(changes.map(({ act }) => act))).toEqual(new Set(['add']));
    expect(await textOf(other)).toBe(text);
    expect(await other.profiles.bring(await operatorOf(other), PROJECT, profile, MERGE)).toEqual([]);
    expect((await other.verify())[0]?.problems).toEqual([]);
    await refused('forbidden', attach(other, 'lead', { nameByArgument: true }));
  });

  it('merge keeps what is here; overwrite makes it as in the file; only remove ends what the file has not', async () => {
    const hub = await testHub(engine);
    await furnished(hub);
    const [profile] = await read(await textOf(hub));
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
    expect(await textOf(other)).toBe(await textOf(hub));
    await refused('forbidden', attach(other, 'local'));
  });

  it('is the operator’s, all or nothing, and gives nobody the operator’s role', async () => {
    const hub = await testHub(engine);
    const { lead } = await furnished(hub);
    const [profile] = await read(await textOf(hub));
    if (profile === undefined) throw new Error('no profile');
    await refused('forbidden', hub.profiles.bring(lead, PROJECT, profile, MERGE));
    const other = await testHub(engine);
    const [first, ...rest] = profile.agents;
    if (first === undefined) throw new Error('no agent');
    const evil = { ...profile, agents: [...rest, { ...first, name: 'zed', role: 'operator' }] };
    const before = await textOf(other);
    await refused('forbidden', other.profiles.bring(await operatorOf(other), PROJECT, evil, MERGE));
    await refused('forbidden', other.profiles.preview(PROJECT, evil, MERGE));
    expect(await textOf(other)).toBe(before);
  });
});

it('reads the first version, upgrades older ones record by record, and refuses newer ones, cut ones and others', async () => {
  const [fixture] = await readExport(`${import.meta.dirname}/export-v1.ndjson`);
  expect(fixture?.agents.map(({ name }) => name)).toEqual(['ada', 'lead']);
  const lines = (...records: object[]) => Readable.from([records.map((record) => `${JSON.stringify(record)}\n`).join('')]);
  const project = { project: { id: 'p-1', name: 'p', root: '/p' } };
  const old = { name: 'x', name_source: 'given', role: 'agent', model: '', capabilities: [], made_by: null };
  const upgrade = (record: ExportRecord): ExportRecord =>
    'agent' in record ? { agent: { ...(record.agent as object), description: 'new' } } : record;
  const [upgraded] = await readExport(lines({ rookery_export: 1, kind: 'profile' }, project, { agent: old }, { end: true }), [upgrade], 2);
  expect(upgraded?.agents).toMatchObject([{ name: 'x', description: 'new' }]);
  expect((await refused('unavailable', readExport(lines({ rookery_export: 999, kind: 'profile' }, { end: true })))).message).toContain(
    'version 999',
  );
  expect((await refused('invalid_input', readExport(lines({ rookery_export: 1, kind: 'profile' }, project)))).message).toContain('cut off');
  await refused('invalid_input', readExport(Readable.from(['SQLite format 3\u0000'])));
  await refused(
    'invalid_input',
    readExport(lines({ rookery_export: 1, kind: 'profile' }, project, { agent: { ...old, token: 'x' } }, { end: true })),
  );
});
