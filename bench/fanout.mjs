// What many cost who are told: a message for one, ten and a hundred recipients, and an event with readers of the event stream.

import { get } from 'node:http';
import { attachment, openHub, PROJECT, program } from '../prove/hub.mjs';
import { summary, timed } from './figures.mjs';
import { startHttp } from './http.mjs';

const RECIPIENTS = [1, 10, 100];
const READERS = [1, 16, 64];

export async function benchFanout(home, table, { runs }) {
  const hub = await openHub(home);
  const sender = await hub.sessions.attach(attachment('sender'));
  for (let n = 0; n < 100; n++) await hub.sessions.attach(attachment(`agent-${n}`));
  const rounds = Math.max(20, Math.round(runs / 10));
  for (const count of RECIPIENTS) {
    const to = Array.from({ length: count }, (_, n) => `agent-${n}`);
    const send = (n) => hub.messages.send(sender, { to, body: `${count} ${n}`, allowDuplicate: true }, { tool: 'send' });
    const floor = count === 1 ? 'fdatasync' : 'send to 1';
    table.add(`send to ${count}`, summary(await timed(rounds, send, 10)), { floor, note: 'recipients, each with a delivery of its own' });
  }
  const operator = await hub.projects.operator(PROJECT, 'cli');
  const { token } = await hub.tokens.create(operator, { agent: 'operator' });
  const served = await startHttp([program(), 'serve', '--port', '0', '--json', '--project', PROJECT.name], home);
  try {
    for (const count of READERS) await readers(served.url, token, hub, sender, table, count, Math.round(rounds / 2));
  } finally {
    served.child.kill('SIGTERM');
    await hub.close();
  }
}

/** From the return of a send in this process until the last reader of the server's stream has its event. */
async function readers(url, token, hub, sender, table, count, rounds) {
  let seen = 0;
  let wanted = '';
  let all = () => {};
  const open = Array.from(
    { length: count },
    () =>
      new Promise((resolve, reject) => {
        const request = get(`${url}/events?after=0`, { headers: { authorization: `Bearer ${token}` }, agent: false }, (response) => {
          if (response.statusCode !== 200) return reject(new Error(`/events answered ${response.statusCode}`));
          let text = '';
          response.setEncoding('utf8').on('data', (chunk) => {
            text = (text + chunk).slice(-100_000);
            if (wanted === '' || !text.includes(wanted)) return;
            text = '';
            if (++seen === count) all();
          });
          resolve(request);
        });
        request.on('error', reject);
      }),
  );
  const requests = await Promise.all(open);
  const times = [];
  for (let n = 0; n < rounds + 5; n++) {
    const told = new Promise((resolve) => {
      all = resolve;
    });
    seen = 0;
    wanted = 'nothing yet';
    const { message_id: id } = await hub.messages.send(
      sender,
      { to: 'agent-0', body: `${count} readers ${n}`, allowDuplicate: true },
      { tool: 'send' },
    );
    const since = performance.now();
    wanted = id;
    await Promise.race([told, new Promise((resolve) => setTimeout(resolve, 2_000))]);
    if (seen < count) throw new Error(`${count - seen} of ${count} readers were not told within 2 s`);
    if (n >= 5) times.push((performance.now() - since) * 1000);
  }
  for (const request of requests) request.destroy();
  const floor = count === READERS[0] ? 'send to 1' : `event to ${READERS[0]} readers`;
  table.add(`event to ${count} readers`, summary(times.sort((a, b) => a - b)), { floor, note: 'committed -> the last of them has it' });
}
