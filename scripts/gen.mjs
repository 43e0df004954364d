// Generates what is derived from the code: each file of scripts/gen/ says what. `--check` changes nothing and exits 1 when a file is out of date;
// the test run does that. Needs a build (build/).

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const makers = readdirSync(new URL('scripts/gen/', root)).filter((file) => file !== 'markdown.mjs');
const files = Object.assign({}, ...(await Promise.all(makers.map(async (file) => (await import(`./gen/${file}`)).files))));

let stale = 0;
for (const [path, text] of Object.entries(files)) {
  const url = new URL(path, root);
  let found = '';
  try {
    found = readFileSync(url, 'utf8');
  } catch {
    // Not there yet.
  }
  if (found === text) continue;
  stale += 1;
  if (process.argv.includes('--check')) process.stderr.write(`${path} is out of date: run npm run gen\n`);
  else {
    mkdirSync(new URL('.', url), { recursive: true });
    writeFileSync(url, text);
  }
}
process.exitCode = process.argv.includes('--check') && stale > 0 ? 1 : 0;
