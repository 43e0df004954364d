// Ctrl-C and its like, for commands that end in order: the work is told, what it has is closed, and the exit code says that a person broke it off.
// Whoever has no handler is ended by the signal itself, which a shell shows as the same code.

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** What shells say of a command that Ctrl-C ended: 128 + SIGINT. */
export const INTERRUPTED = 130;

export type Interrupts = { signal: AbortSignal; release(): void };

/** Listens until released. `insists`: a second Ctrl-C ends the process at once; without it the end in order cannot be cut short. */
export function interrupts({ insists }: { insists: boolean }): Interrupts {
  const interrupted = new AbortController();
  const interrupt = (signal: NodeJS.Signals) => {
    if (signal === 'SIGINT') process.exitCode = INTERRUPTED;
    interrupted.abort();
  };
  for (const signal of SIGNALS) insists ? process.once(signal, interrupt) : process.on(signal, interrupt);
  return {
    signal: interrupted.signal,
    release() {
      for (const signal of SIGNALS) process.removeListener(signal, interrupt);
    },
  };
}
