// The printed outcome: checks that can fail, and figures. Scenarios may run side by side: what one of them prints comes out together, when it
// ends. A check that fails prints the terminals of its scenario, too.

import { AsyncLocalStorage } from 'node:async_hooks';

const scenes = new AsyncLocalStorage();
const open = new Set();
const TERMINAL = '     the terminal of';

let failed = 0;
let passed = 0;

/** Runs a scenario; without `aside` it prints at once. Terminals that it opens are known by their names. */
export async function scene(name, run, { aside }) {
  const own = { lines: [], aside, screens: new Map() };
  open.add(own);
  await scenes.run(own, async () => {
    const started = Date.now();
    try {
      await run();
    } catch (error) {
      check(`${name} ran to its end`, false, error.stack);
    }
    figure(`${name}: ${Math.round((Date.now() - started) / 1000)} s`);
  });
  open.delete(own);
  flush(own);
}

function flush({ lines }) {
  process.stdout.write(lines.splice(0).join(''));
}

/** What unfinished scenarios have said so far. */
export function flushAll() {
  for (const one of open) flush(one);
}

function print(words) {
  const own = scenes.getStore();
  if (own?.aside) own.lines.push(`${words}\n`);
  else process.stdout.write(`${words}\n`);
}

/** A terminal of this scenario, shown when a check fails; answers how to say that it is closed. */
export function showing(name, screen) {
  const screens = scenes.getStore()?.screens;
  screens?.set(name, screen);
  return () => screens?.delete(name);
}

export function check(name, ok, seen) {
  if (ok) passed += 1;
  else failed += 1;
  print(`${ok ? 'ok  ' : 'FAIL'} ${name}`);
  if (ok) return true;
  if (seen !== undefined) print(`     saw ${typeof seen === 'string' ? seen : JSON.stringify(seen)?.slice(0, 2000)}`);
  if (!String(seen).includes(TERMINAL)) print(screens());
  return false;
}

/** The terminals of this scenario, as they stand. */
export function screens() {
  const shown = [...(scenes.getStore()?.screens ?? [])];
  return shown.map(([name, screen]) => `\n${TERMINAL} ${name}:\n${screen().trimEnd().replace(/^/gm, '     | ')}`).join('');
}

export const title = (words) => print(`\n${words}`);
export const figure = (words) => print(`     ${words}`);
export const isLive = () => !scenes.getStore()?.aside;
export const outcome = () => ({ passed, failed });

export function spread(samples) {
  const sorted = [...samples].sort((one, other) => one - other);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  return { n: sorted.length, p50: at(0.5), p90: at(0.9), max: sorted.at(-1) ?? Number.NaN };
}

export const inWords = ({ n, p50, p90, max }) => `p50 ${p50} ms, p90 ${p90} ms, max ${max} ms of ${n}`;
