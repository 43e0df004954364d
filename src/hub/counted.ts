// Words for numbers of things, so that one is not told of as many.

/** `1 reminder`, `2 reminders`, `1 open child`, `2 open children`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
