// What tokens cost: a table with a date, and how a model finds its price in it. The operator's configuration replaces and adds entries
// (`prices` in config.json, docs/reports.md). Invariant: nothing is guessed. A model that the table does not name, and tokens of a kind that its
// entry does not price, are told as unpriced, never taken for free or for their neighbours.

/** Per million tokens. A kind that is left out is not priced. */
export type Price = {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
};

export type PriceTable = {
  /** The day on which its prices were last compared with their sources, YYYY-MM-DD. */
  readonly asOf: string;
  readonly currency: string;
  readonly models: Readonly<Record<string, Price>>;
};

export type TokenCounts = { inputTokens: number; outputTokens: number; cacheReadTokens: number; cacheWriteTokens: number };

/** What tokens cost, and how many of them have no price. `cost` is null where none has. */
export type Cost = { cost: number | null; unpricedTokens: number };

const OPUS = { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25 };
const OLD_OPUS = { input: 15, output: 75, cacheRead: 1.5, cacheWrite: 18.75 };
const SONNET = { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5 };
const OLD_SONNET = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 };
const GPT_5_1 = { input: 1.25, output: 10, cacheRead: 0.125 };
const GPT_5_2 = { input: 1.75, output: 14, cacheRead: 0.175 };

/**
 * List prices of the makers' own interfaces: Anthropic's with caches of five minutes, OpenAI's standard tier for prompts that are not long.
 * Models whose price depends on the length of a prompt from the first token on are left out: a turn does not tell it.
 */
export const DEFAULT_PRICES: PriceTable = {
  asOf: '2026-10-01',
  currency: 'USD',
  models: {
    'claude-fable-5-1': { input: 10, output: 50, cacheRead: 0.25, cacheWrite: 12.5 },
    'claude-fable-5': { input: 10, output: 50, cacheRead: 1, cacheWrite: 12.5 },
    'claude-opus-5-5': { input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5 },
    'claude-opus-5': OPUS,
    'claude-opus-4-8': OPUS,
    'claude-opus-4-7': OPUS,
    'claude-opus-4-6': OPUS,
    'claude-opus-4-5': OPUS,
    'claude-opus-4-1': OLD_OPUS,
    'claude-opus-4-0': OLD_OPUS,
    'claude-opus-4': OLD_OPUS,
    'claude-sonnet-5-5': SONNET,
    'claude-sonnet-5': SONNET,
    'claude-sonnet-4-6': OLD_SONNET,
    'claude-sonnet-4-5': OLD_SONNET,
    'claude-sonnet-4-0': OLD_SONNET,
    'claude-sonnet-4': OLD_SONNET,
    'claude-haiku-4-5': { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 },
    'claude-3-5-haiku': { input: 0.8, output: 4, cacheRead: 0.08, cacheWrite: 1 },
    'gpt-6.1-sol': { input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5 },
    'gpt-6-sol': { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5 },
    'gpt-6-luna': { input: 0.1, output: 0.5, cacheRead: 0.01, cacheWrite: 0.125 },
    'gpt-6-astra': { input: 10, output: 50, cacheRead: 1 },
    'gpt-5.6-terra': { input: 2, output: 12, cacheRead: 0.2 },
    'gpt-5.6-luna': { input: 0.2, output: 1.2, cacheRead: 0.02 },
    'gpt-5.5': { input: 5, output: 30, cacheRead: 0.5 },
    'gpt-5.4': { input: 2.5, output: 15, cacheRead: 0.25 },
    'gpt-5.4-mini': { input: 0.75, output: 4.5, cacheRead: 0.075 },
    'gpt-5.3-codex': GPT_5_2,
    'gpt-5.2-codex': GPT_5_2,
    'gpt-5.2': GPT_5_2,
    'gpt-5.1-codex-max': GPT_5_1,
    'gpt-5.1-codex': GPT_5_1,
    'gpt-5.1': GPT_5_1,
    'gpt-5-codex': GPT_5_1,
    'gpt-5': GPT_5_1,
    'gpt-5-mini': { input: 0.25, output: 2, cacheRead: 0.025 },
  },
};

/** The table in force: the operator's entries before the default ones. Another currency than theirs leaves the default ones out. */
export function priceTable(given: { [K in keyof PriceTable]?: PriceTable[K] | undefined }): PriceTable {
  const currency = given.currency ?? DEFAULT_PRICES.currency;
  const known = currency === DEFAULT_PRICES.currency ? DEFAULT_PRICES.models : {};
  return { asOf: given.asOf ?? DEFAULT_PRICES.asOf, currency, models: { ...known, ...given.models } };
}

/** The price of a model as a client names it: by its whole name, else without the day of its release and the size of its window. */
export function priceOf({ models }: PriceTable, model: string): Price | undefined {
  const plain = model.replace(/\[\w+\]$/, '');
  const undated = plain.replace(/[-@](\d{8}|\d{4}-\d{2}-\d{2})$/, '');
  const name = [model, plain, undated].find((one) => Object.hasOwn(models, one));
  return name === undefined ? undefined : models[name];
}

/** What these tokens of one model cost. */
export function costOf(table: PriceTable, model: string, tokens: TokenCounts): Cost {
  const price = priceOf(table, model);
  const kinds = [
    [tokens.inputTokens, price?.input],
    [tokens.outputTokens, price?.output],
    [tokens.cacheReadTokens, price?.cacheRead],
    [tokens.cacheWriteTokens, price?.cacheWrite],
  ] as const;
  const unpricedTokens = kinds.reduce((sum, [count, each]) => sum + (each === undefined ? count : 0), 0);
  const micros = kinds.reduce((sum, [count, each]) => sum + count * (each ?? 0), 0);
  return { cost: price === undefined ? null : micros / 1e6, unpricedTokens };
}

/** What several costs come to: null as long as nothing of them has a price. */
export function addCosts(one: Cost, other: Cost): Cost {
  const cost = one.cost === null && other.cost === null ? null : (one.cost ?? 0) + (other.cost ?? 0);
  return { cost, unpricedTokens: one.unpricedTokens + other.unpricedTokens };
}
