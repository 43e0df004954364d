// What the hub is to reach, as ratios to floors of the same run, and whether this run reached it. Why some are not reached, and what stands in
// the way, is told in decision 42.

const PROCESSES = '8 processes send';

/** number, words, how it is read from the rows, and its bound: `most` or `least`. */
const TARGETS = [
  [1, 'a send of the library, x fdatasync', ratio('library send', 'fdatasync'), { most: 1.3 }],
  [2, 'a round of the library, x fdatasync', ratio('library send + receive(ack)', 'fdatasync'), { most: 2 }],
  [3, '32 sends in flight, x the rate of fdatasync', ofSyncs('32 sends in flight'), { least: 5 }],
  [4, 'a send over stdio, x a no-op', ratio('stdio send', 'stdio no-op'), { most: 3.3 }],
  [4, 'an empty receive over stdio, x a no-op', ratio('stdio empty recv_batch', 'stdio no-op'), { most: 1.3 }],
  [5, '16 sends in flight over stdio, x no-ops', ratio('stdio send, 16 in flight', 'stdio no-op, 16 in flight'), { least: 0.45 }],
  [5, '16 sends in flight over stdio, x the rate of fdatasync', ofSyncs('stdio send, 16 in flight'), { least: 2 }],
  [6, 'the least call over HTTP, x node:http', ratio('http least call, 1 client', 'raw node:http, 1 client'), { least: 0.85 }],
  [
    6,
    'the least call of 32 clients, x the transport of the SDK',
    ratio('http least call, 32 clients', 'http no-op, 32 clients'),
    { least: 5 },
  ],
  [7, 'sends of 32 clients, x the least call', ratio('http send, 32 clients', 'http least call, 32 clients'), { least: 0.5 }],
  [7, 'sends of 32 clients, x the rate of fdatasync', ofSyncs('http send, 32 clients'), { least: 2 }],
  [7, 'rounds of 32 clients, x the rate of fdatasync', ofSyncs('http round, 32 clients'), { least: 0.7 }],
  [8, 'eight processes: the smallest share of the largest', (row) => row(`${PROCESSES}, 0 ms think`)?.fairness, { least: 0.85 }],
  [8, 'eight processes: p99, x fdatasync', ratio(`${PROCESSES}, 0 ms think`, 'fdatasync', 'p99'), { most: 60 }],
  [8, 'eight processes with 5 ms of thought: p99, x fdatasync', ratio(`${PROCESSES}, 5 ms think`, 'fdatasync', 'p99'), { most: 20 }],
  [
    8,
    'p99 of naive writers with 5 ms of thought, x ours',
    ratio('8 naive writers, 5 ms think', `${PROCESSES}, 5 ms think`, 'p99', 'p99'),
    { least: 10 },
  ],
  [9, 'eight processes on a slow disk, x naive writers', ratio('slow disk, 8 processes send', 'slow disk, 8 naive writers'), { least: 5 }],
  [10, 'a send after 5 million messages, x after none', ratio('send, history 5000000', 'send, history 0'), { most: 1.15 }],
  [10, 'a receive after 5 million messages, x after none', ratio('receive, history 5000000', 'receive, history 0'), { most: 1.15 }],
  [11, 'a send wakes another process, x a paced no-op', ratio('wake, two processes', 'stdio no-op, paced'), { most: 2.5 }],
  [11, 'idle processor time, % of a core', (row) => part(row('idle, nothing pending')?.p50, 10_000), { most: 0.05 }],
  [12, 'initialize answered, x a bare server', ratio('rookery, initialize', 'bare server, tools/list'), { most: 1.5 }],
  [12, 'memory (PSS), x a bare server', ratio('rookery, PSS', 'bare server, PSS'), { most: 1.7 }],
  [13, 'reminders fired, x the rate of fdatasync', ofSyncs('reminders fired a second'), { least: 10 }],
  [14, 'a round of BullMQ with appendfsync always, x ours', ratio('BullMQ on Redis: round', 'this hub, library: round'), { least: 4 }],
  [14, 'a round of pg-boss, x ours', ratio('pg-boss on PostgreSQL: round', 'this hub, library: round'), { least: 4 }],
  [14, 'a round of agentsmcp, x ours', ratio('agentsmcp: send + receive', 'rookery: send + receive'), { least: 2 }],
];

/** What of the targets these rows tell: { target, words, value, bound, met }. */
export function verdicts(rows) {
  const row = (name) => rows.find((one) => one.name === name);
  return TARGETS.flatMap(([target, words, read, { most, least }]) => {
    const value = read(row);
    if (!Number.isFinite(value)) return [];
    const met = most === undefined ? value >= least : value <= most;
    return [{ target, words, value, bound: most === undefined ? `>= ${least}` : `<= ${most}`, met }];
  });
}

/** One line each. */
export function sentences(rows) {
  const all = verdicts(rows);
  const width = Math.max(0, ...all.map(({ words }) => words.length));
  return all.map(
    ({ target, words, value, bound, met }) =>
      `target ${String(target).padStart(2)}  ${words.padEnd(width)}  ${value.toFixed(2).padStart(7)}  ${bound.padEnd(8)}${met ? 'met' : 'not met'}`,
  );
}

function ratio(name, floor, of = 'p50', floorOf = 'p50') {
  return (row) => part(row(name)?.[of], row(floor)?.[floorOf]);
}

/** A rate, as part of how often the disk can sync in a second. */
function ofSyncs(name) {
  return (row) => part(row(name)?.p50, 1_000_000 / row('fdatasync')?.p50);
}

function part(value, whole) {
  return value / whole;
}
