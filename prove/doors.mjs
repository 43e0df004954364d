// Two doors to the same tools: in this process (fast), or through a real `rookery stdio` server and the MCP client (the edges too).
// Both answer { ok, result | error }; what throws is an unknown outcome.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { attachment, load, openHub, PROJECT, program } from './hub.mjs';

/** A defect is told on standard error; the checker sees its code. */
const report = (_reference, error) => process.stderr.write(`${error?.stack ?? error}\n`);

/** The hub in this process, with its timed duties where they are wanted. `fence` takes the agent over with a second session; the first one's calls must fail from then on. */
export async function directDoor(home, name, { toolsets = ['core'], role, limits, duties = false } = {}) {
  const [hub, { callTool }, { Connection }, { findTool }] = await Promise.all([
    openHub(home, limits === undefined ? {} : { limits }),
    load('tools/call.js'),
    load('tools/connection.js'),
    load('tools/index.js'),
  ]);
  const connect = () => Connection.attaching(hub, attachment(name, role === undefined ? {} : { role }), toolsets);
  let current = connect();
  const callAs = (connection) => async (tool, args) => {
    const reply = await callTool(hub, connection, findTool(tool), args, { onDefect: report });
    return reply.ok ? { ok: true, result: reply.result } : { ok: false, error: reply.error };
  };
  await current.caller();
  const scheduler = duties ? await clockwork(hub, () => [current.current?.sessionId ?? '']) : undefined;
  return {
    pid: process.pid,
    call: (tool, args) => callAs(current)(tool, args),
    async fence() {
      const old = current;
      current = connect();
      await current.caller();
      return callAs(old);
    },
    /** Every approval of the project, the newest first. */
    approvals: async () => await hub.approvals.list(await current.caller(), { pending: false, limit: 100 }),
    async close() {
      await scheduler?.stop();
      await hub.close();
    },
  };
}

/** The timed duties, as every server runs them. */
async function clockwork(hub, sessions) {
  const [{ Scheduler }, { dutiesOf }, { openLog }, { systemClock }] = await Promise.all(
    ['scheduler/scheduler.js', 'scheduler/duties.js', 'system/log.js', 'system/clock.js'].map((path) => load(path)),
  );
  const scheduler = new Scheduler(hub, dutiesOf(hub), systemClock, openLog('silent'));
  scheduler.keepAlive(sessions);
  scheduler.start();
  return scheduler;
}

/** A `rookery stdio` server of its own. The session of a killed one is replaced because its process is dead. */
export async function stdioDoor(home, name) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [program(), 'stdio', '--agent', name, '--project', PROJECT.name],
    env: { ...process.env, ROOKERY_HOME: home },
    cwd: home,
    stderr: 'inherit',
  });
  const client = new Client({ name: 'proof', version: '1' });
  await client.connect(transport);
  return {
    pid: transport.pid,
    async call(tool, args) {
      const answer = await client.callTool({ name: tool, arguments: args });
      return answer.isError ? { ok: false, error: JSON.parse(answer.content[0].text) } : { ok: true, result: answer.structuredContent };
    },
    close: () => client.close(),
  };
}
