// What tests make and leave: folders, processes, connections. It goes when its test is over, or with what else it was made within.

import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';

type Cleanup = () => Promise<void> | void;
const ofTheTest: Cleanup[] = [];
const ofTheFile: Cleanup[] = [];
const scopes = new AsyncLocalStorage<Cleanup[]>();
afterEach(() => end(ofTheTest));
afterAll(() => end(ofTheFile));

async function end(cleanups: Cleanup[]): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** What is made inside lives as long as the tests of this file. */
export function forTheFile<T>(make: () => Promise<T>): Promise<T> {
  return scopes.run(ofTheFile, make);
}

/** What is made inside ends with it: for tests that run beside each other. */
export async function apart<T>(work: () => Promise<T>): Promise<T> {
  const own: Cleanup[] = [];
  try {
    return await scopes.run(own, work);
  } finally {
    await end(own);
  }
}

/** A fresh private folder that goes away after the test. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rookery-test-'));
  cleanup(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs when the test is over, or what else it is made within. */
export function cleanup(work: Cleanup): void {
  (scopes.getStore() ?? ofTheTest).push(work);
}
