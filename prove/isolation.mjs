// I11: no row crosses a project. Two projects of one hub with agents of the same names do everything that tools can do, each with the ids of both. No
// answer holds a word or an id of the other project that its caller did not know, no row refers to one, and both chains verify.

import * as z from 'zod';
import { argumentsFor, kindOf } from './faults/arguments.mjs';
import { attachment, chance, load, openHub, PACKAGE, PROJECT, scratch } from './hub.mjs';

const SIDES = [
  { project: PROJECT, secret: 'northern-words' },
  { project: { ...PROJECT, id: `${PROJECT.id}-south`, name: 'south' }, secret: 'southern-words' },
];
const NAMES = ['ana', 'ben', 'mia'];
const LISTS = ['get_thread', 'list_tasks', 'recv_batch'];
const ID = /\b(?!hub_)[a-z]{3}_[0-9a-z]{12,}\b/g;

/** `rounds` calls of every tool on each side. `tamper` may damage the database before it is judged. */
export async function proveIsolation({ rounds, seed, root = PACKAGE, tamper }) {
  const luck = chance(seed);
  const { folder: home, done } = scratch({ inMemory: true });
  const hub = await openHub(home, { root });
  const figures = { calls: 0, accepted: 0, foreign: 0 };
  try {
    const [{ callTool }, { Connection }, { tools }, { TOOLSETS }] = await Promise.all(
      ['tools/call.js', 'tools/connection.js', 'tools/index.js', 'tools/toolsets.js'].map((path) => load(path, root)),
    );
    const listed = tools.map((tool) => ({ tool, schema: z.toJSONSchema(tool.input, { io: 'input', unrepresentable: 'any' }) }));
    const sides = SIDES.map(({ project, secret }) => ({
      project,
      secret,
      ids: new Set(),
      mentioned: new Set(),
      callers: callersOf(hub, project, Connection, TOOLSETS),
    }));
    const bad = [];
    // Something of each kind with the words of its project in it: what is left to chance may be refused.
    for (const { callers, secret, ids } of sides) {
      for (const [name, args] of [
        ['put_document', { name: secret, body: secret }],
        ['create_task', { title: secret }],
        ['send', { to: 'operator', body: secret }],
        ['reserve', { names: [secret] }],
        ['save_checkpoint', { current_task: secret }],
        ['ask', { to: 'operator', question: secret }],
        ['remind', { message: secret, in_seconds: 3_600 }],
        ['request_approval', { action: secret, risk: 'high' }],
      ]) {
        const reply = await callTool(
          hub,
          callers[0],
          tools.find((tool) => tool.name === name),
          args,
          {},
        );
        if (!reply.ok) throw new Error(`${name}: ${reply.text}`);
        for (const id of JSON.stringify(reply.result).match(ID) ?? []) ids.add(id);
      }
    }
    const say = async (side, caller, tool, args) => {
      const other = sides.find((one) => one !== side);
      const given = JSON.stringify(args);
      const named = given.match(ID) ?? [];
      for (const id of named) side.mentioned.add(id); // as a word it may come back at any time
      const reply = await callTool(hub, caller, tool, args, {});
      figures.calls += 1;
      const text = JSON.stringify(reply.ok ? reply.result : reply.error);
      const told = new Set(text.match(ID) ?? []);
      if (reply.ok) figures.accepted += 1;
      const foreign = idsIn(args).find((id) => other.ids.has(id));
      // A list that is narrowed to it is empty, and says nothing; and what one has reserved may be called like anything, and given back by that name.
      const isWord = LISTS.includes(tool.name) || (tool.name === 'release' && !told.has(foreign));
      if (reply.ok && foreign !== undefined && !isWord) bad.push(`${tool.name} ${given}: it took ${foreign} of the other project`);
      if (named.some((id) => other.ids.has(id))) figures.foreign += 1;
      if (text.includes(other.secret)) bad.push(`${tool.name} ${given}: it answers words of the other project`);
      for (const id of told)
        if (other.ids.has(id) && !side.mentioned.has(id)) bad.push(`${tool.name} ${given}: it answers ${id} of the other project`);
      for (const id of told) if (!other.ids.has(id)) side.ids.add(id);
    };
    // Every field that takes ids of one kind, with one of the other project, by a manager: whoever may do the most finds what is not kept apart.
    for (const side of sides)
      for (const { tool, schema } of listed)
        for (const [field, { type }] of Object.entries(schema.properties ?? {})) {
          const other = sides.find((one) => one !== side);
          const id = [...other.ids].find((one) => one.startsWith(kindOf(field) ?? ' '));
          if (id === undefined) continue;
          const needed = { properties: Object.fromEntries(schema.required?.map((name) => [name, schema.properties[name]]) ?? []) };
          const args = argumentsFor({ ...needed, required: schema.required }, { ids: side.ids, words: ['north', 'ana'] }, luck);
          await say(side, side.callers[NAMES.indexOf('mia')], tool, { ...args, [field]: type === 'array' ? [id] : id });
        }
    for (let round = 0; round < rounds; round++)
      for (const { tool, schema } of listed)
        for (const side of sides) {
          const other = sides.find((one) => one !== side);
          const ids = luck.next() < 0.5 ? side.ids : other.ids;
          const words = [...NAMES, 'operator', '*', side.secret, `${side.secret} ${round}`, 'src/a.ts', '2030-01-01T00:00:00Z', 'PASS'];
          const args = argumentsFor(schema, { ids, words }, luck);
          if (schema.properties?.wait_seconds !== undefined) args.wait_seconds = 0;
          delete args.wait_ack_seconds;
          await say(side, luck.pick(side.callers), tool, args);
        }
    tamper?.({ home });
    for (const { problems } of await hub.verify()) bad.push(...problems);
    bad.push(...(await crossings(hub.context.db)));
    const note = `${figures.accepted} accepted, ${figures.foreign} with ids of the other project`;
    if (figures.foreign < figures.calls / 20)
      bad.push(`only ${figures.foreign} of ${figures.calls} calls named something of the other project`);
    return { checked: figures.calls, bad, note };
  } finally {
    await hub.close();
    done();
  }
}

/** The ids in fields that take ids; elsewhere they are words. A reply to what is not there is taken as the begin of a thread. */
function idsIn(args) {
  return Object.entries(args)
    .filter(([field]) => field !== 'in_reply_to' && (kindOf(field) !== undefined || /_id$/.test(field)))
    .flatMap(([, value]) => value);
}

function callersOf(hub, project, Connection, toolsets) {
  return NAMES.map((name) =>
    Connection.attaching(hub, attachment(name, { project, role: name === 'mia' ? 'manager' : 'agent' }), toolsets),
  );
}

/** Rows that refer to rows of another project, by the references that the schema knows, and the threads, which it does not. */
export async function crossings(db) {
  return await db.read(async (read) => {
    const bad = [];
    const tables = (await read.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")).map(
      ({ name }) => name,
    );
    const owned = new Set();
    for (const table of tables)
      if ((await read.all(`PRAGMA table_info(${table})`)).some(({ name }) => name === 'project_id')) owned.add(table);
    for (const table of tables) {
      const parents = (await read.all(`PRAGMA foreign_key_list(${table})`)).filter((one) => owned.has(one.table));
      const joins = parents.map((one, n) => `LEFT JOIN ${one.table} p${n} ON c.${one.from} = p${n}.${one.to}`).join(' ');
      const projects = [...(owned.has(table) ? ['c.project_id'] : []), ...parents.map((_, n) => `p${n}.project_id`)];
      for (let n = 1; n < projects.length; n++) {
        const { rows } = await read.get(`SELECT COUNT(*) AS rows FROM ${table} c ${joins} WHERE ${projects[0]} <> ${projects[n]}`);
        if (rows > 0) bad.push(`${rows} rows of ${table} refer to another project (${projects[n]})`);
      }
    }
    const threads = await read.all('SELECT thread_id FROM messages GROUP BY thread_id HAVING COUNT(DISTINCT project_id) > 1');
    if (threads.length > 0) bad.push(`${threads.length} threads have messages of two projects`);
    return bad;
  });
}
