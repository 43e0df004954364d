// Signing in to the dashboard: a code works once and soon, a session is two halves of a secret, and both are gone when they are over.

import { describe, expect, it } from 'vitest';
import { operatorOf, refused, stranger } from '../support/acts.ts';
import { attach, OTHER_PROJECT, PROJECT, sqlite, testHub } from '../support/engines.ts';

const MINUTE = 60_000;

describe('signing in', () => {
  it('takes a code once, and knows the browser by both halves of its secret, in every project', async () => {
    const hub = await testHub(sqlite);
    const { code } = await hub.signIns.offer(await operatorOf(hub));
    const session = await hub.signIns.redeem(code);
    const again = await refused('unauthorized', hub.signIns.redeem(code));
    expect(again.hint).toContain('rookery dashboard');
    expect(await hub.signIns.authenticate(session, undefined)).toMatchObject({
      name: 'operator',
      projectId: PROJECT.id,
      everyProject: true,
    });
    await stranger(hub);
    expect(await hub.signIns.authenticate(session, OTHER_PROJECT.id)).toMatchObject({ name: 'operator', projectId: OTHER_PROJECT.id });
    await refused('not_found', hub.signIns.authenticate(session, 'nowhere'));
    for (const half of [
      { ...session, proof: session.cookie },
      { cookie: session.proof, proof: session.cookie },
      { ...session, cookie: '' },
      { cookie: code, proof: code },
    ])
      await refused('unauthorized', hub.signIns.authenticate(half, undefined));
    await refused('unauthorized', hub.tokens.authenticate(session.cookie));
    await refused('unauthorized', hub.tokens.authenticate(code));
  });

  it('lets one of many win a code', async () => {
    const hub = await testHub(sqlite);
    const { code } = await hub.signIns.offer(await operatorOf(hub));
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => hub.signIns.redeem(code)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('forgets codes after minutes and sessions after days, and signs out at once', async () => {
    const hub = await testHub(sqlite);
    const operator = await operatorOf(hub);
    const late = await hub.signIns.offer(operator);
    await hub.fake.advance(10 * MINUTE);
    await refused('unauthorized', hub.signIns.redeem(late.code));
    const [first, second] = [
      await hub.signIns.redeem((await hub.signIns.offer(operator)).code),
      await hub.signIns.redeem((await hub.signIns.offer(operator)).code),
    ];
    const { tokenId } = await hub.signIns.authenticate(first, undefined);
    expect(await hub.signIns.end(operator, tokenId)).toBe(1);
    await refused('unauthorized', hub.signIns.authenticate(first, undefined));
    await hub.signIns.authenticate(second, undefined);
    expect(await hub.signIns.end(operator)).toBe(1);
    await refused('unauthorized', hub.signIns.authenticate(second, undefined));
    const third = await hub.signIns.redeem((await hub.signIns.offer(operator)).code);
    await hub.fake.advance(7 * 24 * 60 * MINUTE);
    await refused('unauthorized', hub.signIns.authenticate(third, undefined));
  });

  it('is for the operator alone', async () => {
    const hub = await testHub(sqlite);
    for (const role of ['worker', 'manager']) {
      const agent = await attach(hub, role, { role });
      await refused('forbidden', hub.signIns.offer(agent));
      await refused('forbidden', hub.signIns.end(agent));
    }
  });
});
