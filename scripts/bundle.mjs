// Bundles the compiled modules of build/ into what is shipped and started: dist/main.js and its chunks. A process then reads a dozen files
// instead of some hundred of ours and of our packages: that is most of the time in which a client waits for its server, and a hook runs
// (decision 15). Chunks keep their names from build to build, so that a hub that runs while a new one is built still finds what it loads late.
// They lie one folder deep, as the modules do that find files of the package from their own place (store/migrate.ts, cli/serve.ts).
// The hook program is a bundle of its own: split along the needs of all commands it would read three times as many files, and it is started for
// every tool that a model uses.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('../', import.meta.url));
const dist = join(root, 'dist');
const HOOK = join(root, 'build', 'clients', 'hook-program.js');

const written = new Set([
  ...(await bundle({ main: join(root, 'build', 'main.js') }, { external: [HOOK], chunkFileNames: 'chunks/[name].js' })),
  ...(await bundle({ 'chunks/hook-program': HOOK }, { chunkFileNames: 'chunks/guest-[name].js' })),
]);
for (const file of readdirSync(join(dist, 'chunks'))) {
  if (!written.has(`chunks/${file}`)) rmSync(join(dist, 'chunks', file), { recursive: true });
}

async function bundle(input, { external = [], chunkFileNames }) {
  const made = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    // It loads its native part from its own folder.
    external: ['better-sqlite3', ...external],
    // Its main file asks for its parts in a way that no bundler can follow.
    resolve: { alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' } },
  });
  const { output } = await made.write({
    dir: dist,
    format: 'esm',
    // Readable: a stack in somebody's log is then worth sending.
    minify: false,
    chunkFileNames,
    paths: (id) => (id === HOOK ? './chunks/hook-program.js' : id),
  });
  await made.close();
  return output.map(({ fileName }) => fileName);
}
