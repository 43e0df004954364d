// The property itself: any sequence of commands leaves hub and model equal, the event chain whole and the file sound.

import assert from 'node:assert/strict';
import { commandsOf } from './commands.mjs';
import { CAST, Model } from './model.mjs';

/**
 * Runs `runs` sequences and throws fast-check's report (with the seed) at the first that differs.
 * `world` gives a fresh place: { clock, open(): hub, attach(hub, name, role): caller, done() }. Answers how much was done.
 */
export async function checkContract(fc, world, { runs, seed, maxCommands = 60, endOnFailure = false }) {
  const figures = { sequences: 0, commands: 0, reached: {} };
  const property = fc.asyncProperty(commandsOf(fc, maxCommands), async (commands) => {
    const { clock, open, attach, done } = await world();
    const real = { clock, hub: await open(), callers: new Map(), older: [], attach };
    real.restart = async () => {
      await real.hub.close();
      real.hub = await open();
    };
    try {
      for (const { name, role } of CAST) real.callers.set(name, await attach(real.hub, name, role));
      const model = new Model(clock.now());
      await fc.asyncModelRun(() => ({ model, real }), commands);
      for (const [path, n] of model.reached) figures.reached[path] = (figures.reached[path] ?? 0) + n;
      for (const { problems } of await real.hub.verify()) assert.deepEqual(problems, []);
      if (real.hub.context.db.engine === 'sqlite') {
        const rows = await real.hub.context.db.read((read) => read.all('PRAGMA integrity_check'));
        assert.deepEqual(rows, [{ integrity_check: 'ok' }]);
      }
    } finally {
      figures.sequences += 1;
      figures.commands += [...commands].length;
      await real.hub.close();
      await done();
    }
  });
  await fc.assert(property, { numRuns: runs, ...(seed === undefined ? {} : { seed }), endOnFailure });
  return figures;
}
