// A small table: words to the left, numbers to the right.

import type { ComponentChildren } from 'preact';

export function Table({ head, rows }: { head: readonly string[]; rows: readonly (readonly ComponentChildren[])[] }) {
  const numeric = head.map((_name, column) => rows.every((row) => isNumber(row[column])));
  return (
    <table>
      <thead>
        <tr>
          {head.map((name, column) => (
            <th key={name} scope="col" class={numeric[column] ? 'number' : undefined}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            {row.map((cell, column) => (
              <td key={head[column]} class={numeric[column] ? 'number' : undefined}>
                {typeof cell === 'number' ? cell.toLocaleString() : cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A number, perhaps with its unit; or nothing. */
function isNumber(cell: ComponentChildren): boolean {
  return typeof cell === 'number' || (typeof cell === 'string' && /^(|–|\p{Sc}?\d[\d.,]*( ?[\p{L}%]{1,3})?)$/u.test(cell));
}
