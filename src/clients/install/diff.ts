// A unified diff of two texts, as people know it, for files of settings: small changes in texts of any size. What others keep in such a file
// is shown as far as it helps to find the place; their secrets are not.

const CONTEXT = 3;
/** Past this many pairs of lines between the first and the last difference they are shown as replaced as a whole. */
const MOST_PAIRS = 4_000_000;

type Line = { sign: ' ' | '-' | '+'; text: string };

/** The lines of the diff; none when the texts are equal. `path`: how both are called. */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string[] {
  if (before === after) return [];
  const lines = compared(linesOf(before ?? ''), linesOf(after ?? ''));
  return [`--- ${before === undefined ? '/dev/null' : path}`, `+++ ${after === undefined ? '/dev/null' : path}`, ...hunks(lines).flat()];
}

/** A text without a line end at its end says so, as diff does. */
function linesOf(text: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  else lines[lines.length - 1] += '\n\\ No newline at end of file';
  return lines;
}

function compared(before: readonly string[], after: readonly string[]): Line[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  const most = Math.min(before.length, after.length) - head;
  while (tail < most && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const middle = differences(before.slice(head, before.length - tail), after.slice(head, after.length - tail));
  const kept = (text: string): Line => ({ sign: ' ', text });
  return [...before.slice(0, head).map(kept), ...middle, ...before.slice(before.length - tail).map(kept)];
}

/** The longest common subsequence, by the table of the textbook. */
function differences(before: readonly string[], after: readonly string[]): Line[] {
  const [rows, columns] = [before.length, after.length];
  const removed = (text: string): Line => ({ sign: '-', text });
  const added = (text: string): Line => ({ sign: '+', text });
  if (rows * columns > MOST_PAIRS) return [...before.map(removed), ...after.map(added)];
  const width = columns + 1;
  const longest = new Uint32Array((rows + 1) * width);
  const at = (row: number, column: number) => longest[row * width + column] ?? 0;
  for (let row = rows - 1; row >= 0; row--)
    for (let column = columns - 1; column >= 0; column--)
      longest[row * width + column] =
        before[row] === after[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
  const lines: Line[] = [];
  let [row, column] = [0, 0];
  while (row < rows || column < columns) {
    const [old, fresh] = [before[row], after[column]];
    if (old !== undefined && old === fresh) {
      lines.push({ sign: ' ', text: old });
      row += 1;
      column += 1;
    } else if (old !== undefined && (fresh === undefined || at(row + 1, column) >= at(row, column + 1))) {
      lines.push(removed(old));
      row += 1;
    } else if (fresh !== undefined) {
      lines.push(added(fresh));
      column += 1;
    }
  }
  return lines;
}

function hunks(lines: readonly Line[]): string[][] {
  const found: string[][] = [];
  for (let from = 0; from < lines.length; ) {
    const first = lines.findIndex(({ sign }, index) => index >= from && sign !== ' ');
    if (first === -1) break;
    let last = first;
    for (let index = first; index < lines.length && index - last <= 2 * CONTEXT; index++) if (lines[index]?.sign !== ' ') last = index;
    const start = Math.max(from, first - CONTEXT);
    const end = Math.min(lines.length, last + CONTEXT + 1);
    found.push(hunk(lines, start, end));
    from = end;
  }
  return found;
}

function hunk(lines: readonly Line[], start: number, end: number): string[] {
  const shown = lines.slice(start, end);
  const count = (all: readonly Line[], other: Line['sign']) => all.filter(({ sign }) => sign !== other).length;
  const range = (other: Line['sign']) => {
    const size = count(shown, other);
    return `${count(lines.slice(0, start), other) + (size === 0 ? 0 : 1)},${size}`;
  };
  return [
    `@@ -${range('+')} +${range('-')} @@`,
    ...shown.flatMap(({ sign, text }) => (sign + (sign === '+' ? text : withoutSecrets(text))).replaceAll('\r', '').split('\n')),
  ];
}

/** Values that are secret by their name, or look like a key whatever their name. */
function withoutSecrets(line: string): string {
  return line
    .replace(/((?:token|secret|passw|api_?-?key|auth|credential|cookie)[\w-]*["']?\s*[:=]\s*)(["'])(?:(?!\2).)*\2/gi, '$1$2…$2')
    .replace(/(["'\s=])[A-Za-z0-9_+=-]{24,}(?=["'\s,]|$)/g, '$1…');
}
