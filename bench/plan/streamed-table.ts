/** Prints a table row by row, as soon as each row is known. */

export interface Column {
  readonly name: string;
  /** Characters; longer cells move the later ones. */
  readonly width: number;
}

export class StreamedTable {
  constructor(
    title: string,
    private readonly columns: readonly Column[],
  ) {
    print(`\n${title}`);
    this.row(columns.map(({ name }) => name));
    this.row(columns.map(({ width }) => '-'.repeat(width)));
  }

  row(cells: readonly (string | number)[]): void {
    print(
      cells
        .map((cell, index) => String(cell).padEnd(this.columns[index].width))
        .join('  ')
        .trimEnd(),
    );
  }
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
