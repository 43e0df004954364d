// The real clients, driven offline by scripted models, against the built hub. Run by `npm run e2e:clients`; words after `--` choose scenarios
// by name, --keep leaves the folders behind. Every line it prints is a check that could fail; it exits 1 if one did. Where the clients cannot
// be installed it says so and exits 0, unless ROOKERY_E2E_REQUIRED is set.

import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installClients } from './install-clients.mjs';
import { check, outcome } from './report.mjs';
import { doors } from './scenarios/doors.mjs';
import { guarding } from './scenarios/guarding.mjs';
import { installing } from './scenarios/installing.mjs';
import { messaging } from './scenarios/messaging.mjs';
import { haveTmux } from './terminal.mjs';

/** Those of `terminals` need tmux. */
const SCENARIOS = { installing, messaging, guarding };
const TERMINALS = { doors };

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const keep = process.argv.includes('--keep');

function leave(reason) {
  process.stdout.write(`SKIPPED: ${reason}\n`);
  process.exit(process.env.ROOKERY_E2E_REQUIRED === undefined ? 0 : 1);
}

function clientsOrLeave() {
  try {
    return installClients();
  } catch (error) {
    return leave(`the clients cannot be installed: ${error.message}`);
  }
}

const clients = clientsOrLeave();
const base = realpathSync(mkdtempSync(join(tmpdir(), 'rookery-e2e-')));
const cwd = join(base, 'project');
mkdirSync(join(cwd, '.git'), { recursive: true });

const withTerminals = haveTmux();
if (!withTerminals) process.stdout.write('NOTICE: tmux is not installed, so no scenario runs the clients in a terminal\n');
const chosen = Object.entries({ ...SCENARIOS, ...(withTerminals ? TERMINALS : {}) }).filter(
  ([name]) => words.length === 0 || words.includes(name),
);
const started = Date.now();
try {
  for (const [name, scenario] of chosen) {
    try {
      await scenario({ clients, base, cwd });
    } catch (error) {
      check(`${name} ran to its end`, false, error.stack);
    }
  }
} finally {
  if (keep) process.stdout.write(`kept ${base}\n`);
  else rmSync(base, { recursive: true, force: true });
}
const { passed, failed } = outcome();
const seconds = Math.round((Date.now() - started) / 1000);
process.stdout.write(
  `\n${failed === 0 ? `all ${passed} checks passed` : `${failed} of ${passed + failed} checks failed`} in ${seconds} s\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
