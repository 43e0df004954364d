// What the doctor says of one thing: how it is, what was seen, why it matters, and one command or act that mends it.

export type Finding = {
  /** A stable word for scripts. */
  check: string;
  /** `unknown`: it could not be looked at here; that is no fault. */
  status: 'ok' | 'warn' | 'fail' | 'unknown';
  what: string;
  /** Why it matters; only said when something is to be done. */
  why?: string;
  fix?: string;
};

export const ok = (check: string, what: string): Finding => ({ check, status: 'ok', what });
export const unknown = (check: string, what: string): Finding => ({ check, status: 'unknown', what });
export const warn = (check: string, what: string, why: string, fix: string): Finding => ({ check, status: 'warn', what, why, fix });
export const fail = (check: string, what: string, why: string, fix: string): Finding => ({ check, status: 'fail', what, why, fix });

/** The words of an error, for a finding. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown reason';
}
