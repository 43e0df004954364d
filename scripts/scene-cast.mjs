// Who plays in the pictures of the dashboard, their days before, and what each can do.

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;
export const PROJECT = { id: 'payments-1', name: 'payments', root: '/home/you/payments' };

export const CAST = [
  { name: 'lead', client: 'claude-code', role: 'manager', model: 'claude-opus-5', status: 'splitting the refund work' },
  { name: 'amber-builder', client: 'claude-code', role: 'agent', model: 'claude-sonnet-5-5', status: 'backfilling the ledger' },
  { name: 'reviewer', client: 'codex', role: 'reviewer', model: 'gpt-5.3-codex', status: 'reading refunds.spec.ts' },
  { name: 'tester', client: 'claude-code', role: 'agent', model: 'claude-haiku-4-5', status: 'chasing the split capture' },
  { name: 'docs-writer', client: 'gemini-cli', role: 'agent', model: 'gemini-3-pro' },
];
export const CARDS = {
  lead: ['planning', 'typescript'],
  'amber-builder': ['typescript', 'postgresql'],
  reviewer: ['typescript', 'review'],
  tester: ['typescript', 'testing'],
  'docs-writer': ['writing'],
};

/** A day of turns: what each cost is what the plots show. */
export async function pastDay(hub, day, pass) {
  const wave = (n) => (Math.sin(n * 12.9898 + day * 78.233) + 1) / 2;
  for (const [index, one] of CAST.slice(0, 4).entries()) {
    const caller = await hub.sessions.attach(attachmentOf(one));
    const turns = 4 + Math.round(wave(index) * 7);
    for (let n = 0; n < turns; n++) {
      const turnKey = `${day}-${index}-${n}`;
      await hub.turns.begin(caller, { turnKey, at: hub.context.time.now() }, null);
      pass(Math.round((1 + wave(n + index) * 3) * MINUTE));
      await hub.turns.end(caller, { turnKey, at: hub.context.time.now() }, 'completed', factsOf(one.model, wave(n * 3 + index)));
    }
    await hub.sessions.end(caller, 'closed');
  }
}

export const factsOf = (model, share) => ({
  startedAt: null,
  ended: 'completed',
  model,
  inputTokens: Math.round(2_000 + share * 9_000),
  outputTokens: Math.round(900 + share * 6_500),
  cacheReadTokens: Math.round(60_000 + share * 220_000),
  cacheWriteTokens: model.startsWith('gpt') ? 0 : Math.round(4_000 + share * 12_000),
  tools: { Bash: 2 + Math.round(share * 5), Edit: Math.round(share * 4) },
});

export const attachmentOf = ({ name, client, role }) => ({
  ...{ project: PROJECT, door: 'stdio', client: { name: client, version: '1' } },
  ...{ root: PROJECT.root, name, role },
});

/** Wakes an agent that has been quiet for long enough, as its door would. */
export async function wakeBy(hub, sleeper, door, pass) {
  for (let tries = 0; tries < 10; tries++) {
    const { claim } = await hub.waking.next(sleeper.projectId, sleeper.agentId, [door]);
    if (claim !== undefined) return await hub.waking.report(sleeper.projectId, claim.attemptId, { sent: true });
    await pass(0.5);
  }
}
