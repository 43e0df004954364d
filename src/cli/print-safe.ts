// What agents wrote, made safe for a terminal (T16): escape sequences, control characters, text direction, zero-width and other invisible
// characters are shown as what they are instead of acting. Everything from the database passes here before it is printed for people.
// Invariant: the result holds no character that a terminal obeys or hides, but line feeds where asked for.

/** Controls (C0, DEL, C1), formats (bidi, zero-width, tags, BOM), separators, private and lone surrogates, and what renders as nothing. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** In one line: line feeds are shown, too, so that a subject cannot fake a row of a table. */
export function printSafeLine(text: string): string {
  return text.replace(UNSAFE, escaped);
}

/** In several lines: line feeds stay, tabs become blanks. */
export function printSafe(text: string): string {
  return text.replaceAll('\r\n', '\n').replaceAll('\t', '    ').split('\n').map(printSafeLine).join('\n');
}

/** A body under its header: every line is marked, so that none can pass for a header of ours. */
export function printSafeBlock(text: string, mark = '  | '): string {
  return printSafe(text)
    .split('\n')
    .map((line) => `${mark}${line}`)
    .join('\n');
}

/** JSON that says the same and is safe to look at: JSON itself allows C1, bidi and invisible characters as they are. */
export function safeJson(value: unknown, indent?: number): string {
  // Line feeds between the fields of indented JSON are the only controls that JSON.stringify leaves outside of strings.
  return (JSON.stringify(value, null, indent) ?? 'null').replace(UNSAFE, (character) =>
    character === '\n' ? character : jsonEscaped(character),
  );
}

function escaped(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function jsonEscaped(character: string): string {
  return [...character.split('')].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
}
