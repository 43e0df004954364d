// JSON in one form only: the JSON Canonicalization Scheme (RFC 8785). Members sorted by the UTF-16 code units of their names, no blanks, numbers
// and strings as ECMAScript writes them. What stands for the same value is the same text, and so has the same digest.

/** The canonical text of a JSON value. Members that are undefined are left out, as JSON.stringify does. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item: unknown) => canonicalJson(item)).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1)); // `<` compares code units, as section 3.2.3 asks
  return `{${members.map(([name, inner]) => `${JSON.stringify(name)}:${canonicalJson(inner)}`).join(',')}}`;
}
