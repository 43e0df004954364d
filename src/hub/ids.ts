// Identifiers. An id is a prefix that says what it names, the creation time, and chance. The time comes first because random keys cost
// four to six times the insert time of ordered ones once an index outgrows the cache (measured at 5 million rows); the chance makes ids of one millisecond differ.
// Receipts and tokens carry at least 128 bits of chance, because they must not be guessed; ids need not be secret, access to them is checked.

export type IdPrefix =
  | 'prj'
  | 'agt'
  | 'ses'
  | 'msg'
  | 'pol'
  | 'thr'
  | 'rcp'
  | 'tok'
  | 'hub'
  | 'ask'
  | 'rem'
  | 'tsk'
  | 'chk'
  | 'apr'
  | 'enr'
  | 'rsv'
  | 'dor'
  | 'wak'
  | 'trn'
  | 'sin';

export interface Ids {
  /** A fresh id such as `msg_01k9...`. */
  next(prefix: IdPrefix): string;
  /** A fresh unguessable receipt, 128 bits of chance or more. */
  receipt(): string;
  /** A fresh credential, 256 bits of chance, with a prefix that secret scanners can find. */
  token(): string;
  /** A fresh short mark, 60 bits of chance, for what only has to be told apart from the words around it. */
  nonce(): string;
  /** One of the given words, by chance. */
  pick<T>(from: readonly T[]): T;
}
