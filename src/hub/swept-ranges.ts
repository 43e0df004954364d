// How an event says which messages a sweep took: ranges of seqs, "12-40,43". A range means every message there is between its ends, so that
// a sweep of many messages is a short text; verify reads it the same way.

export type Range = { from: number; to: number };

/** The ranges of some seqs. `staysBetween`: whether a message that was not swept stands between two of them. */
export async function rangesOf(seqs: readonly number[], staysBetween: (from: number, to: number) => Promise<boolean>): Promise<Range[]> {
  const ranges: Range[] = [];
  for (const seq of [...seqs].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && !(await staysBetween(last.to, seq))) last.to = seq;
    else ranges.push({ from: seq, to: seq });
  }
  return ranges;
}

export function formatRanges(ranges: readonly Range[]): string {
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

export function parseRanges(text: string): Range[] {
  return text.split(',').flatMap((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    return match === null ? [] : [{ from: Number(match[1]), to: Number(match[2] ?? match[1]) }];
  });
}

/** Ranges in order, for looking seqs up in. */
export class RangeSet {
  readonly #ranges: Range[];

  constructor(ranges: readonly Range[]) {
    this.#ranges = [...ranges]
      .sort((a, b) => a.from - b.from)
      .reduce<Range[]>((merged, range) => {
        const last = merged.at(-1);
        if (last !== undefined && range.from <= last.to + 1) last.to = Math.max(last.to, range.to);
        else merged.push({ ...range });
        return merged;
      }, []);
  }

  get empty(): boolean {
    return this.#ranges.length === 0;
  }

  has(seq: number): boolean {
    let low = 0;
    let high = this.#ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const range = this.#ranges[middle];
      if (range === undefined || seq < range.from) high = middle - 1;
      else if (seq > range.to) low = middle + 1;
      else return true;
    }
    return false;
  }
}
