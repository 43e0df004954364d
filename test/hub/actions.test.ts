// The canonical form of JSON (RFC 8785) by the RFC's own examples, and which texts are the same action.

import { expect, it } from 'vitest';
import { toAction } from '../../src/hub/actions.ts';
import { canonicalJson } from '../../src/hub/canonical-json.ts';
import { HubError } from '../../src/hub/errors.ts';

const limits = { actionBytes: 16_384 };
const action = (text: string) => toAction(text, limits);

it('writes the example of section 3.2.2 as the RFC does', () => {
  const input = String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`;
  expect(canonicalJson(JSON.parse(input))).toBe(
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
});

it('sorts names by their UTF-16 code units, as section 3.2.3 asks', () => {
  const input = String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`;
  expect([...canonicalJson(JSON.parse(input)).matchAll(/:"([^"]+)"/g)].map(([, value]) => value)).toEqual([
    'Carriage Return',
    'One',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ]);
  // Objects of JavaScript list names that look like integers first; the canonical form does not.
  expect(canonicalJson({ 9: 'b', 10: 'a', '': 'c' })).toBe('{"":"c","10":"a","9":"b"}');
});

it.each([
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
])('writes the number %s of appendix B as %s', (bits, text) => {
  expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text);
});

it('takes two texts for one action when they say the same, and for two otherwise', () => {
  const same = [`{"do":"deploy","to":["eu","us"],"n":1.0}`, ` {"n":1, "to" : ["eu", "us"],\n"do":"deploy"} `];
  expect(new Set(same.map((text) => action(text).digest)).size).toBe(1);
  expect(action(same[1] ?? '').text).toBe('{"do":"deploy","n":1,"to":["eu","us"]}');
  const different = [
    'rm -rf build',
    'rm -rf  build',
    'rm -rf Build',
    'rm -rf build;',
    '{ rm -rf build; }',
    '["rm","-rf","build"]',
    '"rm -rf build"',
    // A shell takes an escaped blank, a no-break space and a carriage return for a part of the name.
    'rm -rf build\\',
    'rm -rf build\\ ',
    'rm -rf build\u00a0',
    'rm -rf build\r',
  ];
  expect(new Set(different.map((text) => action(text).digest)).size).toBe(different.length);
  expect(action(' git push\n').text).toBe('git push');
  expect(action('echo a\\\\ \n').text).toBe('echo a\\\\');
});

it.each([
  ['', 'empty'],
  ['   ', 'empty'],
  ['{"amount":1,"amount":1000000}', 'twice'],
  ['{"a":{"b":1,"b":1}}', 'twice'],
  ['[{"\\u0061":1,"a":2}]', 'twice'],
  ['{"amount":9007199254740993}', '2^53'],
  ['{"amount":1e999}', '2^53'],
  [`${'['.repeat(2_000)}${']'.repeat(2_000)}`, 'nested'],
  ['git push \ud800', 'UTF-8'],
])('refuses %j', (text, why) => {
  expect(() => action(text)).toThrow(HubError);
  expect(() => action(text)).toThrow(why);
});

it('counts the size in bytes', () => {
  expect(() => action(`echo ${'ü'.repeat(8_200)}`)).toThrow(/16405 bytes; the limit is 16384/);
  expect(action('{"a:b":"{\\"c\\":1}"}').text).toBe('{"a:b":"{\\"c\\":1}"}');
});
