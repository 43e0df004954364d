// One agent that sends as fast as it can over 16 connections: node flooder.mjs '{url, token}'. It begins, says so, and at the end of its input says how often
// it was answered what. A process of its own, so that what it costs is not the time of whoever measures the others.

import { Agent, request } from 'node:http';

const { url, token, connections = 16 } = JSON.parse(process.argv[2]);
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const answers = {};
let flooding = true;

process.stdin.resume();
process.stdin.on('end', () => {
  flooding = false;
});
const flood = Promise.all(Array.from({ length: connections }, send));
process.stdout.write('flooding\n');
await flood;
process.stdout.write(`${JSON.stringify(answers)}\n`);
process.exit(0);

async function send() {
  while (flooding) {
    const code = await answered();
    answers[code] = (answers[code] ?? 0) + 1;
  }
}

function answered() {
  return new Promise((resolve) => {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
    const asked = request(`${url}/api/send`, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve(response.statusCode === 200 ? 'accepted' : (JSON.parse(text).code ?? response.statusCode)));
    });
    asked.on('error', (error) => resolve(error.code));
    asked.end(JSON.stringify({ to: 'sink', body: 'flood', allow_duplicate: true }));
  });
}
