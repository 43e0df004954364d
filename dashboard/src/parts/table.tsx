// A small table: words to the left, numbers to the right.

import type { ComponentChildren } from 'preact';

export function Table({ head, rows }: { head: readonly string[]; rows: readonly (readonly ComponentChildren[])[] }) {
  const numeric = head.map((_name, column) => rows.every((row) => typeof row[column] === 'number' || row[column] === ''));
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
