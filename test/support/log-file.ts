// The log of a hub under test: an error in it that no test expects is a defect, even where every answer was right.

import { existsSync, readFileSync } from 'node:fs';

export function assertNoErrors(logFile: string, meant: readonly string[] = []): void {
  const lines = existsSync(logFile) ? readFileSync(logFile, 'utf8').split('\n') : [];
  const errors = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as { level: number; event?: string });
  const unexpected = errors.filter(({ level, event }) => level >= 50 && !meant.includes(event ?? ''));
  if (unexpected.length > 0) throw new Error(`errors in the log that no test expects: ${JSON.stringify(unexpected).slice(0, 2_000)}`);
}
