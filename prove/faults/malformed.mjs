// Malformed input at both front doors: broken JSON, broken Unicode, huge lines, deep nesting, and for every tool arguments of every wrong
// shape. The answer is a definite error, nobody meets a defect, and the session goes on.

import { connect } from 'node:net';
import { chance, scratch } from '../hub.mjs';
import { startServer } from '../stdio-raw.mjs';
import { argumentsFor } from './arguments.mjs';
import { startHttp } from './http-hub.mjs';

const MIB = 1024 * 1024;
const DEEP = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

/** What is no request, or nearly one. */
const LINES = [
  '',
  'hello',
  '{',
  'null',
  '[]',
  '{}',
  '"x"',
  '{"jsonrpc":"2.0"}',
  '{"jsonrpc":"1.0","id":1,"method":"ping"}',
  '{"jsonrpc":"2.0","id":{},"method":"ping"}',
  '{"jsonrpc":"2.0","id":7,"method":""}',
  '{"jsonrpc":"2.0","id":7,"method":"no/such"}',
  '{"jsonrpc":"2.0","id":7,"method":"tools/call"}',
  '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"nothing"}}',
  '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"__proto__","arguments":{"__proto__":{"to":"x"}}}}',
  '{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"hub://../../etc/passwd"}}',
  '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"send","arguments":{"to":"\\ud800","body":"\\udfff"}}}',
  '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"send","arguments":{"to":"a\\u0000b","body":"\\u0000"}}}',
  `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"send","arguments":${DEEP}}}`,
  `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"send","arguments":{${Array.from({ length: 100_000 }, (_, n) => `"k${n}":1`).join()}}}}`,
  DEEP,
];

const WORDS = ['fuzz', 'operator', 'words', 'src/a.ts', '* * * * *', '2030-01-01T00:00:00Z', 'a\nb'];

/** Every line over stdio, then bytes that are not UTF-8 and a line of 11 MiB; after each the server answers a ping. */
export async function proveMalformedLines() {
  const { folder: home, done } = scratch({ inMemory: true });
  const server = startServer(home, 'fuzz');
  const bad = [];
  const inputs = [
    ...LINES.map((line) => Buffer.from(`${line}\n`)),
    Buffer.from([0xff, 0xfe, 0x80, 0x0a]),
    Buffer.from(`"${'x'.repeat(11 * MIB)}"\n`),
  ];
  try {
    await server.initialize();
    for (const [n, input] of inputs.entries()) {
      server.raw(input);
      const answer = await Promise.race([
        server.ask('ping', {}),
        server.ended.then(({ code }) => ({ error: { message: `it ended with ${code}` } })),
      ]);
      if (answer.error !== undefined) bad.push(`input ${n} (${input.subarray(0, 60)}): ${answer.error.message}`);
    }
    await server.call('whoami');
    return { checked: inputs.length, bad };
  } finally {
    await server.close();
    done();
  }
}

/** The same as bodies over HTTP, and bytes that are no HTTP. The hub answers 4xx and goes on. */
export async function proveMalformedRequests() {
  const hub = await startHttp(['a']);
  const bad = [];
  let checked = 0;
  try {
    const headers = {
      Authorization: `Bearer ${hub.tokens.a}`,
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
    };
    for (const path of ['/mcp', '/api/send', '/api/nothing', '/api/__proto__', '/hooks/task']) {
      for (const line of LINES) {
        checked += 1;
        const { status } = await hub.ask(path, { method: 'POST', headers }, line).catch((error) => ({ status: error.code }));
        if (!(status >= 400 && status < 500) && !(path === '/mcp' && status < 300))
          bad.push(`${path} answered ${status} to ${line.slice(0, 60)}`);
      }
    }
    for (const bytes of [
      '\0\0\0',
      'GET / HTTP/9.9\r\n\r\n',
      'POST /mcp HTTP/1.1\r\nContent-Length: -5\r\n\r\n',
      `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
    ]) {
      checked += 1;
      await throwAt(hub.url, bytes);
    }
    const { status } = await hub.call(hub.tokens.a, 'whoami', {});
    if (status !== 200) bad.push(`afterwards whoami answers ${status}`);
    return { checked, bad };
  } finally {
    await hub.done();
  }
}

/** How long a tool is asked to wait. */
const WAITS = ['wait_seconds', 'wait_ack_seconds'];

/** `rounds` calls of every tool with arguments of wrong shapes and sizes: any definite answer will do, a defect will not. */
export async function proveMalformedArguments({ rounds, seed }) {
  const luck = chance(seed);
  const { folder: home, done } = scratch({ inMemory: true });
  const server = startServer(home, 'fuzz', { flags: ['--toolsets', 'all', '--role', 'manager'] });
  const bad = [];
  /** What the hub made and named, so that later calls can name it, too. */
  const ids = new Set();
  let refused = 0;
  try {
    await server.initialize();
    const { result } = await server.ask('tools/list', {});
    for (let round = 0; round < rounds; round++) {
      for (const { name, inputSchema } of result.tools) {
        const args = argumentsFor(inputSchema, { ids, words: WORDS }, luck, 0.5);
        shorten(args, inputSchema, luck);
        const answer = await server.ask('tools/call', { name, arguments: args });
        const text = answer.error?.message ?? (answer.result.isError ? answer.result.content[0].text : '');
        if (text !== '') refused += 1;
        for (const [id] of JSON.stringify(answer).matchAll(/\b[a-z]{3}_[0-9a-z]{12,}\b/g)) ids.add(id);
        if (/"code":"internal"|[Ii]nternal error/.test(text))
          bad.push(`${name} ${JSON.stringify(args).slice(0, 300)}: ${text.slice(0, 200)}`);
      }
    }
    return { checked: result.tools.length * rounds, bad, note: `${result.tools.length} tools, ${refused} calls refused` };
  } finally {
    await server.close();
    done();
  }
}

/** A wait is a long time for a fuzzer: where it may wait, it does so for a second, and seldom. Waits that are too long are not refused but cut. */
function shorten(args, { properties = {} }, luck) {
  for (const field of WAITS) {
    const waits = args[field] === undefined || args[field] >= 0;
    if (field in properties && waits) args[field] = luck.next() < 0.02 ? 1 : 0;
  }
}

async function throwAt(url, bytes) {
  const { hostname, port } = new URL(url);
  await new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => socket.end(bytes));
    socket.on('data', () => {});
    socket.on('error', resolve);
    socket.on('close', resolve);
  });
}
