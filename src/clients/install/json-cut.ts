// Where a child is put into an object or a list of a JSON text, and how it is cut out again. jsonc-parser reads; its own `modify` is not used,
// because it moves the comment that ends a line and formats what it was not asked about.
// Invariant: what was put in comes out byte for byte, but for the blanks inside braces that were empty.

import { createScanner, type Node } from 'jsonc-parser';
import { lineEndOf } from './text-file.ts';

// SyntaxKind of jsonc-parser is a const enum, which isolated modules cannot read.
const COMMA = 5;
const LINE_COMMENT = 12;
const BLOCK_COMMENT = 13;
const LINE_BREAK = 14;
const BLANK = 15;
const END = 17;

/** Longer lines are broken: people look over these files before they trust what is in them. */
const LINE_COLUMNS = 100;

type Style = { unit: string; lineEnd: string; indent: string; inline: boolean; spaced: boolean };

/** Adds a member (`key`) or an element to the end of a container. */
export function insertedInto(text: string, container: Node, key: string | undefined, value: unknown): string {
  const last = container.children?.at(-1);
  const close = container.offset + container.length - 1;
  const style = styleIn(text, container);
  const prefix = key === undefined ? '' : `${JSON.stringify(key)}:${style.inline && !style.spaced ? '' : ' '}`;
  const child = prefix + rendered(value, style);
  if (last === undefined) {
    const at = afterComments(text, container.offset + 1, close);
    if (style.inline) return spliced(text, at, at, child);
    const broken = text.slice(at, close).includes('\n');
    return spliced(
      text,
      at,
      at,
      `${style.lineEnd}${style.indent}${child}${broken ? '' : style.lineEnd + indentOfLine(text, container.offset)}`,
    );
  }
  const end = last.offset + last.length;
  const comma = commaAfter(text, end, close);
  if (style.inline) {
    const gap = (comma === undefined ? ',' : '') + (style.spaced ? ' ' : '');
    const at = comma === undefined ? end : comma + 1;
    return spliced(text, at, at, `${gap}${child}${comma === undefined ? '' : ','}`);
  }
  const at = endOfComments(text, comma === undefined ? end : comma + 1, close);
  const broken = text.slice(at, close).includes('\n');
  const added = `${style.lineEnd}${style.indent}${child}${comma === undefined ? '' : ','}`;
  const withChild = spliced(text, at, at, broken ? added : added + style.lineEnd + indentOfLine(text, container.offset));
  return comma === undefined ? spliced(withChild, end, end, ',') : withChild;
}

/** Takes a child out with the line it stands on, its comma, and the comma before it where that then ends the list. */
export function withoutChild(text: string, container: Node, child: Node): string {
  const children = container.children ?? [];
  const index = children.indexOf(child);
  const close = container.offset + container.length - 1;
  const previous = children[index - 1];
  const isLast = index === children.length - 1;
  const comma = commaAfter(text, child.offset + child.length, close);
  let end = comma === undefined ? child.offset + child.length : comma + 1;
  const lineStart = text.lastIndexOf('\n', child.offset - 1) + 1;
  const ownLine = lineStart > container.offset && text.slice(lineStart, child.offset).trim() === '';
  let start = child.offset;
  if (ownLine) {
    start = lineStart;
    if (text[start - 1] === '\n') start -= text[start - 2] === '\r' ? 2 : 1;
    // Words behind it on its line are somebody's: they keep a line of their own.
    if (/\S/.test(text.slice(end, lineEndFrom(text, end))) && end < close) start = child.offset;
  } else if (previous !== undefined && isLast && comma === undefined) {
    start = commaAfter(text, previous.offset + previous.length, child.offset) ?? child.offset;
  } else if (!isLast) {
    while (end < close && (text[end] === ' ' || text[end] === '\t')) end += 1;
  } else {
    while (text[start - 1] === ' ' || text[start - 1] === '\t') start -= 1;
  }
  let cut = spliced(text, start, end, '');
  if (previous !== undefined && isLast && comma === undefined) {
    const dangling = commaAfter(cut, previous.offset + previous.length, Math.max(start, previous.offset + previous.length));
    if (dangling !== undefined) cut = spliced(cut, dangling, dangling + 1, '');
  }
  return children.length === 1 ? emptied(cut, container) : cut;
}

/** Braces with nothing but blanks between them are closed up. */
function emptied(text: string, container: Node): string {
  const close = container.type === 'array' ? ']' : '}';
  const found = /^[\s]*/.exec(text.slice(container.offset + 1))?.[0].length ?? 0;
  const end = container.offset + 1 + found;
  return text[end] === close ? spliced(text, container.offset + 1, end, '') : text;
}

/** Puts another value in the place of one. */
export function replaced(text: string, node: Node, value: unknown): string {
  return spliced(text, node.offset, node.offset + node.length, rendered(value, styleAt(text, node)));
}

function rendered(value: unknown, { inline, spaced, unit, lineEnd, indent }: Style): string {
  if (inline && !spaced) return JSON.stringify(value);
  return laidOut(value, unit, indent, inline ? Number.POSITIVE_INFINITY : LINE_COLUMNS).replaceAll('\n', lineEnd);
}

/** In one line what fits into one, so that a person can look over it. */
function laidOut(value: unknown, unit: string, indent: string, columns: number): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const parts = (inner: string) =>
    Array.isArray(value)
      ? value.map((element) => laidOut(element, unit, inner, columns))
      : Object.entries(value).map(([key, held]) => `${JSON.stringify(key)}: ${laidOut(held, unit, inner, columns)}`);
  const short = parts(indent);
  const blank = Array.isArray(value) ? '' : ' ';
  const line = short.length === 0 ? open + close : `${open}${blank}${short.join(', ')}${blank}${close}`;
  if (indent.length + line.length <= columns && !line.includes('\n')) return line;
  const inner = indent + unit;
  return `${open}\n${parts(inner)
    .map((part) => inner + part)
    .join(',\n')}\n${indent}${close}`;
}

/** How children of a container are written: as its own are, else as the document is. */
function styleIn(text: string, container: Node): Style {
  const first = container.children?.[0];
  const inner = text.slice(container.offset, container.offset + container.length);
  const unit = unitOf(text);
  const lineEnd = lineEndOf(text);
  const inline = first === undefined ? !text.trim().includes('\n') && text.trim().length > 2 : !inner.includes('\n');
  const lineStart = first === undefined ? -1 : text.lastIndexOf('\n', first.offset - 1) + 1;
  const leads = first !== undefined && lineStart > container.offset && text.slice(lineStart, first.offset).trim() === '';
  return {
    unit,
    lineEnd,
    inline,
    spaced: spaced(text, container),
    indent: leads ? indentOfLine(text, first.offset) : indentOfLine(text, container.offset) + unit,
  };
}

function styleAt(text: string, node: Node): Style {
  const inline = !text.trim().includes('\n');
  return { unit: unitOf(text), lineEnd: lineEndOf(text), inline, spaced: /[:,] /.test(text), indent: indentOfLine(text, node.offset) };
}

/** Two blanks where the document has no opinion. */
function unitOf(text: string): string {
  return /^([ \t]+)"/m.exec(text)?.[1] ?? '  ';
}

function indentOfLine(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset))?.[0] ?? '';
}

/** Whether a container in one line has blanks after its colons and commas. */
function spaced(text: string, container: Node): boolean {
  const inner = text.slice(container.offset, container.offset + container.length);
  return (container.children?.length ?? 0) === 0 ? /[:,] /.test(text) : /[:,] /.test(inner) || !/[:,]/.test(inner);
}

function commaAfter(text: string, from: number, until: number): number | undefined {
  for (const { kind, offset } of tokens(text, from, until)) {
    if (kind === COMMA) return offset;
    if (kind !== LINE_COMMENT && kind !== BLOCK_COMMENT) return undefined;
  }
  return undefined;
}

/** The end of the comments that stand on the line of `from`. */
function endOfComments(text: string, from: number, until: number): number {
  let end = from;
  for (const { kind, offset, length } of tokens(text, from, until)) {
    if ((kind !== LINE_COMMENT && kind !== BLOCK_COMMENT) || text.slice(end, offset).includes('\n')) break;
    end = offset + length;
  }
  return end;
}

/** The end of all comments from here on. */
function afterComments(text: string, from: number, until: number): number {
  let end = from;
  for (const { kind, offset, length } of tokens(text, from, until)) {
    if (kind !== LINE_COMMENT && kind !== BLOCK_COMMENT) break;
    end = offset + length;
  }
  return end;
}

function* tokens(text: string, from: number, until: number): Generator<{ kind: number; offset: number; length: number }> {
  const scanner = createScanner(text.slice(from, until));
  for (let kind: number = scanner.scan(); kind !== END; kind = scanner.scan()) {
    if (kind !== LINE_BREAK && kind !== BLANK) yield { kind, offset: from + scanner.getTokenOffset(), length: scanner.getTokenLength() };
  }
}

function lineEndFrom(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

function spliced(text: string, from: number, to: number, between: string): string {
  return text.slice(0, from) + between + text.slice(to);
}
