// src/views/replies.json: what each view answers, as JSON Schema, read from the type of its reply. So nobody writes a reply down twice; a test
// holds real replies to it.

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildGenerator, getProgramFromFiles } from 'typescript-json-schema';
import { built, readText, root } from './markdown.mjs';

const { views } = await built('views/index.js');
const FOLDER = fileURLToPath(new URL('src/views/', root));

const { compilerOptions } = JSON.parse(readText('tsconfig.json'));
const program = getProgramFromFiles(
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => FOLDER + file),
  { ...compilerOptions, lib: ['lib.es2023.d.ts'] },
);
const generator = silently(() => buildGenerator(program, { required: true, noExtraProps: true, ignoreErrors: true, ref: false }));
if (generator === null) throw new Error('src/views cannot be read');

const typeOf = (name) => `${name[0].toUpperCase()}${name.slice(1)}Reply`;
const lines = silently(() => views.map(({ name }) => `"${name}": ${plain(generator.getSchemaForSymbol(typeOf(name)))}`));

export const files = { 'src/views/replies.json': `{\n${lines.join(',\n')}\n}\n` };

/** Without what a value of the code, not its type, says. A record of anything comes out as an object of nothing. */
function plain(schema) {
  return JSON.stringify(schema, (key, value) => {
    if (key === '$schema' || key === 'default') return undefined;
    return value?.additionalProperties === false && value.properties === undefined ? { ...value, additionalProperties: true } : value;
  });
}

/** The generator warns of every field whose value is not a literal. */
function silently(work) {
  const { warn } = console;
  console.warn = () => {};
  try {
    return work();
  } finally {
    console.warn = warn;
  }
}
