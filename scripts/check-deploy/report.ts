/** What happened to the stacks, as a table. */
import { formatTable } from '../../bench/measure';

const COLUMNS = [
  ...(['deploy', 'TypeScript', 'Python', 'HTTP API', 'other calls', 'denied'] as const),
  ...(['other slices', 'other model', 'redrive', 'destroy'] as const),
];
export type Column = (typeof COLUMNS)[number];

export class Row {
  readonly failures: string[] = [];
  right = 0;
  private readonly cells: Partial<Record<Column, { right: number; wrong: number; seconds?: string }>> = {};

  constructor(readonly title: string) {}

  add(column: Column, failure?: unknown): void {
    const cell = (this.cells[column] ??= { right: 0, wrong: 0 });
    if (failure === undefined) {
      cell.right++;
      this.right++;
    } else {
      cell.wrong++;
      this.failures.push(`${column}: ${(failure as Error).message}`);
    }
  }

  async step(column: Column, work: () => Promise<void>): Promise<boolean> {
    const start = performance.now();
    try {
      await work();
      const seconds = `${((performance.now() - start) / 1000).toFixed(0)} s`;
      this.cells[column] = { right: 0, wrong: 0, seconds };
      return true;
    } catch (error) {
      this.add(column, error);
      return false;
    }
  }

  get texts(): string[] {
    const texts = COLUMNS.map((column) => {
      const { right, wrong, seconds } = this.cells[column] ?? { right: 0, wrong: 0, seconds: '–' };
      return seconds ?? (wrong === 0 ? String(right) : `${right} of ${right + wrong}`);
    });
    return [this.title, ...texts];
  }
}

export function printTable(rows: readonly Row[]): void {
  const texts = rows.map((row) => row.texts);
  console.log(formatTable(['stack', ...COLUMNS], texts));
}
