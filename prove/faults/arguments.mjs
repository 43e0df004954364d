// Arguments for tools, made from their schemas by chance: right in kind, with ids that exist, and one of them wrong where that is wanted.

/** What is no argument, or nearly none. */
const WRONG = [
  null,
  true,
  -1,
  0,
  1.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  '',
  ' ',
  '*',
  'operator',
  'fuzz',
  '../../etc/passwd',
  'x'.repeat(70_000),
  '\u0000\u001b[31m\u202e',
  '\ud800',
  'any:',
  'any:reviewer',
  '2026-13-45T99:99:99Z',
  '0 0 31 2 *',
  'msg_nothing',
  [],
  [null],
  [[[]]],
  {},
  { a: { b: { c: [1] } } },
  Array.from({ length: 2_000 }, () => 'x'),
];

/** What the ids that a field takes begin with, where it takes one kind. */
const KINDS = [
  [/^(message_id|in_reply_to|except|nack_ids)$/, 'msg_'],
  [/^(task_id|task_ids|parent_id|depends_on)$/, 'tsk_'],
  [/^ask_id$/, 'ask_'],
  [/^approval_id$/, 'apr_'],
  [/^(reminder_id|only_if)$/, 'rem_'],
  [/^thread_id$/, 'thr_'],
  [/^ids$/, 'rsv_'],
];

/** Every required field and some others; ids and words are taken from `pool`. `wrong`: how likely one of them is wrong. */
export function argumentsFor({ properties = {}, required = [] }, pool, luck, wrong = 0) {
  const { as: _as, ...own } = properties;
  const fields = Object.keys(own).filter((field) => required.includes(field) || luck.next() < 0.4);
  const args = Object.fromEntries(fields.map((field) => [field, plausible(own[field], poolOf(field, pool, luck), luck)]));
  if (fields.length > 0 && luck.next() < wrong) args[luck.pick(fields)] = luck.pick(WRONG);
  return args;
}

/** What the ids begin with that a field takes, where it takes one kind. */
export function kindOf(field) {
  return KINDS.find(([pattern]) => pattern.test(field))?.[1];
}

/** Mostly ids of the kind that the field takes. */
function poolOf(field, pool, luck) {
  const kind = kindOf(field);
  const fitting = kind === undefined ? [] : [...pool.ids].filter((id) => id.startsWith(kind)).slice(-12);
  return fitting.length === 0 || luck.next() < 0.2 ? pool : { ids: fitting, words: fitting };
}

function plausible(schema, pool, luck) {
  const kind = schema.anyOf === undefined ? schema : luck.pick(schema.anyOf);
  if (kind.enum !== undefined) return luck.pick(kind.enum);
  if (kind.type === 'integer' || kind.type === 'number')
    return luck.pick([kind.minimum ?? 0, 1, 2, Math.min(kind.maximum ?? 1_000, 1_000)]);
  if (kind.type === 'boolean') return luck.next() < 0.5;
  if (kind.type === 'array') return Array.from({ length: luck.below(3) }, () => plausible(kind.items ?? {}, pool, luck));
  if (kind.type === 'object') return {};
  const known = [...pool.ids];
  return luck.next() < 0.5 && known.length > 0 ? luck.pick(known) : luck.pick(pool.words);
}
