// Tables within written documents: the rules of the guard, the prices of models, the instruments of telemetry.

import { built, filled, readText, table } from './markdown.mjs';

const { DEFAULT_RULES } = await built('hub/risky-commands.js');
const { DEFAULT_PRICES } = await built('hub/prices.js');
const { INSTRUMENTS } = await built('hub/telemetry.js');

const ruleTable = table(
  ['rule', 'matches', 'risk', 'because it'],
  DEFAULT_RULES.map((one) => [one.name, `\`${one.match}\`${one.outside ? ', outside the project' : ''}`, one.risk, one.why]),
);

const priceTable = table(
  ['model', 'input', 'output', 'from the cache', 'into the cache'],
  Object.entries(DEFAULT_PRICES.models).map(([model, price]) => [
    `\`${model}\``,
    ...[price.input, price.output, price.cacheRead ?? 'unpriced', price.cacheWrite ?? 'unpriced'],
  ]),
);
const priced = `The built-in list, in ${DEFAULT_PRICES.currency} per million tokens, as of ${DEFAULT_PRICES.asOf}:\n\n${priceTable}`;

const instrumentTable = (scope) =>
  table(
    ['instrument', 'kind', 'unit', 'labels', 'what'],
    Object.entries(INSTRUMENTS)
      .filter(([, one]) => one.scope === scope)
      .map(([name, { kind, unit, labels = [], what }]) => [
        `\`${name}\``,
        kind,
        unit,
        labels.map((label) => `\`${label}\``).join(', '),
        what,
      ]),
  );

export const files = {
  'docs/guarding.md': filled(readText('docs/guarding.md'), 'rules', [ruleTable]),
  'docs/reports.md': filled(readText('docs/reports.md'), 'prices', [priced]),
  'docs/telemetry.md': filled(readText('docs/telemetry.md'), 'instruments', [
    '',
    '### Of the hub',
    '',
    instrumentTable('hub'),
    '',
    '### Of each process',
    '',
    instrumentTable('process'),
    '',
  ]),
};
