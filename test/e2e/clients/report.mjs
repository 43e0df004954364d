// The printed outcome: checks that can fail, and figures.

let failed = 0;
let passed = 0;

export function check(name, ok, seen) {
  if (ok) passed += 1;
  else failed += 1;
  process.stdout.write(
    `${ok ? 'ok  ' : 'FAIL'} ${name}${ok ? '' : `\n     saw ${JSON.stringify(seen)?.slice(0, Number(process.env.ROOKERY_E2E_SEEN ?? 900))}`}\n`,
  );
  return Boolean(ok);
}

export const title = (words) => process.stdout.write(`\n${words}\n`);
export const figure = (words) => process.stdout.write(`     ${words}\n`);
export const outcome = () => ({ passed, failed });

export function spread(samples) {
  const sorted = [...samples].sort((one, other) => one - other);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  return { n: sorted.length, p50: at(0.5), p90: at(0.9), max: sorted.at(-1) ?? Number.NaN };
}

export const inWords = ({ n, p50, p90, max }) => `p50 ${p50} ms, p90 ${p90} ms, max ${max} ms of ${n}`;
