/** Rows of the tables of a document, as cells without the spaces that align them. */
export function rowsOf(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .join('|'),
    );
}

export function asRows(rows: readonly string[][]): string[] {
  return rows.map((cells) => `|${cells.join('|')}|`);
}
