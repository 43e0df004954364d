// Bundles the compiled modules of build/ into what is shipped and started: dist/main.js and its chunks. A process then reads a dozen files
// instead of some hundred of ours and of our packages: that is most of the time in which a client waits for its server, and a hook runs
// (decision 15). Chunks keep their names from build to build, so that a hub that runs while a new one is built still finds what it loads late.
// They lie one folder deep, as the modules do that find files of the package from their own place (store/migrate.ts, cli/serve.ts).
// None uses import(): what the engine made of them is kept and run by node:vm (system/kept-code.ts), whose scripts cannot.
// What a hook needs of the hub is one more file by itself, with everything in it: it is started for every tool that a model uses, and compiled
// only once (clients/load-visit.ts).

import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('../', import.meta.url));
const dist = join(root, 'dist');
const catalogue = await frozenCatalogue();

const written = new Set([
  // better-sqlite3 finds its native part from its own folder.
  ...(await bundle({ main: entry('main.js'), program: entry('cli/program.js'), stdio: entry('cli/stdio.js') }, ['better-sqlite3'], {
    // Node takes a tenth of a second longer to load them as ES modules.
    format: 'cjs',
    entryFileNames: ({ name }) => (name === 'main' ? 'main.js' : `chunks/${name}.js`),
    chunkFileNames: 'chunks/[name].js',
    dynamicImportInCjs: false,
  })),
  // A guest of the hub knows where that is (open-guest.ts), and searches for it with bindings where it does not.
  ...(await bundle({ 'hook-visit': entry('clients/hook-visit.js') }, ['bindings'], {
    format: 'cjs',
    entryFileNames: 'chunks/[name].cjs',
    codeSplitting: false,
    dynamicImportInCjs: false,
    // It is read anew every time, and writes no log.
    minify: true,
  })),
]);
writeFileSync(join(dist, 'package.json'), '{ "type": "commonjs" }\n');
for (const file of readdirSync(join(dist, 'chunks'))) {
  if (!written.has(`chunks/${file}`)) rmSync(join(dist, 'chunks', file), { recursive: true });
}

function entry(path) {
  return join(root, 'build', path);
}

/** What clients are told there is stands in the bundle as it is told: making it takes every schema, and a client waits. */
async function frozenCatalogue() {
  const file = entry('tools/catalogue.js');
  const { makeCatalogue } = await import(pathToFileURL(file).href);
  const code = `const made = ${JSON.stringify(makeCatalogue())};\nexport const makeCatalogue = () => made;\n`;
  return { name: 'frozen-catalogue', load: (id) => (id === file ? code : null) };
}

async function bundle(input, external, output) {
  const made = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    external,
    plugins: [catalogue],
    // Its main file asks for its parts in a way that no bundler can follow.
    resolve: { alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' } },
  });
  // Otherwise readable: a stack in somebody's log is then worth sending.
  const { output: files } = await made.write({
    dir: dist,
    minify: false,
    comments: { legal: true, annotation: false, jsdoc: false },
    ...output,
  });
  await made.close();
  for (const { fileName, code } of files) writeFileSync(join(dist, fileName), plain(code));
  return files.map(({ fileName }) => fileName);
}

/** The engine keeps a source in memory as long as it runs, and twice as large when it holds one character beyond Latin. */
function plain(code) {
  return code.replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
