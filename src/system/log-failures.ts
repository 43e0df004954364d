// How often this process could not write its log: counted apart from what writes it, which many a process never loads.

let failures = 0;

export function logWriteFailures(): number {
  return failures;
}

export function noteLogFailure(): void {
  failures += 1;
}
