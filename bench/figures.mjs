// Measuring and printing: quantiles of single operations, and one table in which every figure stands beside its floor.

/**
 * Runs `operation` one after the other, after a warm-up; answers the times in microseconds, sorted, and as `cpu` what one cost this process
 * in processor time, which a busy machine distorts least. `withinMs` ends it early: what takes ever longer would not end.
 */
export async function timed(runs, operation, warmUp = Math.min(50, runs), withinMs = Number.POSITIVE_INFINITY) {
  for (let n = 0; n < warmUp; n++) await operation(n);
  const times = [];
  const before = process.cpuUsage();
  const end = performance.now() + withinMs;
  for (let n = 0; n < runs && (n === 0 || performance.now() < end); n++) {
    const since = performance.now();
    await operation(warmUp + n);
    times.push((performance.now() - since) * 1000);
  }
  const { user, system } = process.cpuUsage(before);
  return Object.assign(
    times.sort((a, b) => a - b),
    { cpu: (user + system) / times.length },
  );
}

export function quantile(sorted, q) {
  return sorted.length === 0 ? Number.NaN : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

/** p50, p95, p99 and the spread (interquartile range as part of the median) of sorted times. */
export function summary(sorted) {
  const p50 = quantile(sorted, 0.5);
  return {
    n: sorted.length,
    ...(sorted.cpu === undefined ? {} : { cpu: sorted.cpu }),
    p50,
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    spread: (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / p50,
  };
}

/** The middle and the spread of rates, of which more is better; they have no slow end to speak of. */
export function rateSummary(rates) {
  const { n, p50, spread } = summary(rates.sort((a, b) => a - b));
  return { n, p50, spread };
}

/** Collects rows: a name, its figures in `unit`, and the row it is compared with. */
export class Table {
  rows = [];

  /** `floor` names an earlier row; the ratio is of the medians (for rates, which grow when better, of the rates). */
  add(name, figures, { unit = 'us', floor, note } = {}) {
    const base = this.rows.find((row) => row.name === floor);
    const ratio = base === undefined || !(base.p50 > 0) ? undefined : figures.p50 / base.p50;
    this.rows.push({ name, unit, ...figures, ...(floor === undefined ? {} : { floor, ratio }), ...(note === undefined ? {} : { note }) });
  }

  toString() {
    const cells = this.rows.map((row) => [
      row.name,
      `${number(row.p50)} ${row.unit}`,
      row.p95 === undefined ? '' : number(row.p95),
      row.p99 === undefined ? '' : number(row.p99),
      row.cpu === undefined ? '' : number(row.cpu),
      row.spread === undefined ? '' : `${Math.round(row.spread * 100)} %`,
      row.ratio === undefined ? '' : `${number(row.ratio)} x ${row.floor}`,
      row.note ?? '',
    ]);
    const all = [['what', 'p50', 'p95', 'p99', 'own cpu', 'spread', 'against its floor', ''], ...cells];
    const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
    return all
      .map((row) =>
        row
          .map((cell, column) => cell.padEnd(widths[column]))
          .join('  ')
          .trimEnd(),
      )
      .join('\n');
  }
}

function number(value) {
  if (!Number.isFinite(value)) return '-';
  return value >= 100 ? String(Math.round(value)) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
