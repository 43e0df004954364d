// The warden of test servers removes what it was given to look after, and nothing beside it, above it or otherwise named.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { scratch } from '../support/engines.ts';

const WARDEN = join(import.meta.dirname, '..', 'support', 'postgres-warden.mjs');

async function ended(place: string): Promise<void> {
  const child = spawn(process.execPath, [WARDEN, place], { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end();
  await once(child, 'exit');
}

it('removes a server’s folder or a meeting with its server, and nothing else', async () => {
  const folder = scratch();
  const beside = join(folder, 'beside');
  writeFileSync(beside, 'kept');
  const at = (name: string) => join(folder, name);
  for (const name of ['rookery-pg-aaaaaa', 'rookery-pg-bbbbbb', 'rookery-meeting-cccccc', 'rookery-meeting-dddddd', 'other'])
    mkdirSync(at(name));
  writeFileSync(join(at('rookery-meeting-cccccc'), 'place'), at('rookery-pg-bbbbbb'));
  writeFileSync(join(at('rookery-meeting-dddddd'), 'place'), at('other'));
  for (const name of [
    'rookery-pg-aaaaaa',
    'rookery-pg-gone00',
    'rookery-meeting-cccccc',
    'rookery-meeting-dddddd',
    'rookery-meeting-gone00',
    'other',
    '',
  ])
    await ended(at(name));
  await ended('');
  const left = ['rookery-pg-aaaaaa', 'rookery-pg-bbbbbb', 'rookery-meeting-cccccc', 'rookery-meeting-dddddd', 'other', 'beside'];
  expect(left.filter((name) => existsSync(at(name)))).toEqual(['other', 'beside']);
});
