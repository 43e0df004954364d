// One served hub, several projects at once: the project is the token's, and nothing crosses (C16).

import { expect, it } from 'vitest';
import type { Project } from '../../src/hub/projects.ts';
import { api, call, connect, serveHub } from './http-hub.ts';

const PROJECTS: Project[] = ['red', 'green', 'blue'].map((name) => ({ id: `${name}-1`, name, root: `/work/${name}` }));

it('serves three projects at once, and nothing crosses', async () => {
  const { url, hub, token } = await serveHub();
  const teams = await Promise.all(
    PROJECTS.map(async (project) => {
      const [alice, bob] = [await token('alice', { project }), await token('bob', { project })];
      return { project, aliceToken: alice, alice: (await connect(url, alice)).client, bob: (await connect(url, bob)).client };
    }),
  );
  const batches = await Promise.all(
    teams.map(async ({ project, alice, bob }) => {
      const waiting = call(bob, 'recv_batch', { wait_seconds: 30 });
      const sent = await call(alice, 'send', { to: '*', body: `for ${project.name} only` });
      return { id: String(sent.message_id), batch: await waiting, root: (await call(alice, 'whoami')).project_root };
    }),
  );
  for (const [i, { batch, root }] of batches.entries()) {
    expect(batch.messages).toMatchObject([{ body: `for ${PROJECTS[i]?.name} only` }]);
    expect(batch.remaining).toBe(0);
    expect(root).toBe(PROJECTS[i]?.root);
  }
  for (const [i, { alice, aliceToken }] of teams.entries()) {
    const listed = await call(alice, 'list_agents');
    expect(JSON.stringify(listed).match(/"name":"(alice|bob)"/g)).toHaveLength(2);
    for (const [n, { id }] of batches.entries()) {
      if (n === i) continue;
      expect(await call(alice, 'get_message', { message_id: id })).toMatchObject({ code: 'not_found' });
      expect((await api(url, aliceToken, 'message_status', { message_id: id })).body).toMatchObject({ code: 'not_found' });
    }
  }
  for (const verified of await hub.verify()) expect(verified.problems).toEqual([]);
});
