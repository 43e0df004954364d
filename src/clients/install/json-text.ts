// Edits of JSON with comments by path: set a value, add to a list, take something out. Everything else of the text stays as it is.
// Invariant: parsed again, the result differs from the original by the one change and nothing else; what cannot be edited so is refused.

import { isDeepStrictEqual } from 'node:util';
import { findNodeAtLocation, getNodeValue, type Node, type ParseError, parseTree } from 'jsonc-parser';
import { HubError } from '../../hub/errors.ts';
import { insertedInto, replaced, withoutChild } from './json-cut.ts';
import { lineEndOf } from './text-file.ts';

export type JsonPath = readonly (string | number)[];

/** The value at a path; undefined where there is none. `name`: the file, for what is said of it. */
export function valueAt(text: string, path: JsonPath, name: string): unknown {
  if (text.trim() === '') return undefined;
  const node = findNodeAtLocation(treeOf(text, name), [...path]);
  return node === undefined ? undefined : (valueIn(node) as unknown);
}

/** Puts a value at a path of member names, making the objects on the way. The same value changes nothing. */
export function setAt(text: string, path: JsonPath, value: unknown, name: string): string {
  const { text: whole, tree } = objectOf(text, name);
  const found = findNodeAtLocation(tree, [...path]);
  if (found !== undefined && isDeepStrictEqual(valueIn(found), value)) return whole;
  const edited = found === undefined ? insertedAt(whole, tree, path, value, name) : replaced(whole, found, value);
  return proven(edited, withValue(valueIn(tree), path, value), name);
}

/** Adds an element to the end of the list at a path, making it where it is missing. */
export function appendAt(text: string, path: readonly string[], element: unknown, name: string): string {
  const { text: whole, tree } = objectOf(text, name);
  const list = findNodeAtLocation(tree, [...path]);
  if (list === undefined) return setAt(whole, path, [element], name);
  if (list.type !== 'array') throw notEditable(name, `${path.join('.')} is no list`);
  const elements = [...(valueIn(list) as unknown[]), element];
  return proven(insertedInto(whole, list, undefined, element), withValue(valueIn(tree), path, elements), name);
}

/** Takes a member or an element out. What is not there changes nothing. */
export function removeAt(text: string, path: JsonPath, name: string): string {
  if (text.trim() === '') return text;
  const tree = treeOf(text, name);
  const found = findNodeAtLocation(tree, [...path]);
  const member = found?.parent?.type === 'property' ? found.parent : found;
  const container = member?.parent;
  if (member === undefined || container === undefined) return text;
  return proven(withoutChild(text, container, member), withoutValue(valueIn(tree), path), name);
}

/** The document as a tree. Throws `conflict` for what is not JSON, whose root is no object, or whose members are there twice. */
function treeOf(text: string, name: string): Node {
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: false });
  const [error] = errors;
  if (error !== undefined || tree === undefined) {
    const line = text.slice(0, error?.offset ?? 0).split('\n').length;
    throw notEditable(name, `is not JSON (line ${line})`);
  }
  if (tree.type !== 'object') throw notEditable(name, 'holds no JSON object');
  return tree;
}

/** An empty file counts as an empty object: some clients leave one behind. */
function objectOf(text: string, name: string): { text: string; tree: Node } {
  const whole = text.trim() === '' ? `{}${lineEndOf(text)}` : text;
  return { text: whole, tree: treeOf(whole, name) };
}

function insertedAt(text: string, tree: Node, path: JsonPath, value: unknown, name: string): string {
  let container = tree;
  for (const [depth, key] of path.entries()) {
    if (typeof key === 'number') throw new Error('elements are appended, not set');
    assertOnce(container, key, name);
    const next = findNodeAtLocation(container, [key]);
    if (next === undefined) {
      const inner = path.slice(depth + 1).reduceRight<unknown>((held, member) => ({ [member]: held }), value);
      return insertedInto(text, container, key, inner);
    }
    if (next.type !== 'object') throw notEditable(name, `${path.slice(0, depth + 1).join('.')} is no object`);
    container = next;
  }
  return text;
}

/** Of a name that stands twice clients take one and the parser the other. */
function assertOnce(container: Node, key: string, name: string): void {
  const same = (container.children ?? []).filter((member) => member.children?.[0]?.value === key);
  if (same.length > 1) throw notEditable(name, `has ${JSON.stringify(key)} twice`);
}

/** The text, if it says what it should. Anything else is a document that cannot be edited safely. */
function proven(text: string, expected: unknown, name: string): string {
  const found = valueIn(treeOf(text, name));
  if (!isDeepStrictEqual(found, expected)) throw notEditable(name, 'could not be edited without changing more than was meant');
  return text;
}

function withValue(held: unknown, path: JsonPath, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(held)) return held.map((element: unknown, index) => (index === key ? withValue(element, rest, value) : element));
  const object = held !== null && typeof held === 'object' ? (held as Record<string, unknown>) : {};
  return { ...object, [key]: withValue(object[key], rest, value) };
}

function withoutValue(value: unknown, path: JsonPath): unknown {
  const [key, ...rest] = path;
  if (Array.isArray(value)) {
    const list: unknown[] = value;
    return rest.length === 0
      ? list.filter((_element, index) => index !== key)
      : list.map((element, index) => (index === key ? withoutValue(element, rest) : element));
  }
  const entries = Object.entries(value as Record<string, unknown>);
  return Object.fromEntries(
    rest.length === 0
      ? entries.filter(([name]) => name !== key)
      : entries.map(([name, held]) => [name, name === key ? withoutValue(held, rest) : held]),
  );
}

function notEditable(name: string, why: string): HubError {
  return new HubError('conflict', `${name}: ${why}; nothing was changed.`, {
    hint: 'Put it right by hand, then run this again; --dry-run shows what it would do.',
  });
}

function valueIn(node: Node): unknown {
  // The parser’s objects have no prototype, which would make them unequal to any of ours.
  return JSON.parse(JSON.stringify(getNodeValue(node))) as unknown;
}
