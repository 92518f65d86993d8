/** The table of stacks and calls. */
import { formatTable } from '../../bench/measure';

const COLUMNS = [
  ...(['deploy', 'TypeScript', 'Python', 'HTTP API', 'other calls', 'denied'] as const),
  ...(['other slices', 'other model', 'redrive', 'destroy'] as const),
];
export type Column = (typeof COLUMNS)[number];

/** What happened to a stack. */
export class Row {
  readonly failures: string[] = [];
  right = 0;
  /** Right and wrong calls. */
  private readonly counts = new Map<Column, [number, number]>();
  private readonly seconds = new Map<Column, string>();

  constructor(readonly title: string) {}

  /** Counts a call. @param failure why it is wrong */
  add(column: Column, failure?: unknown): void {
    const [right, wrong] = this.counts.get(column) ?? [0, 0];
    const isRight = failure === undefined;
    this.counts.set(column, isRight ? [right + 1, wrong] : [right, wrong + 1]);
    if (isRight) this.right++;
    else this.failures.push(`${column}: ${(failure as Error).message}`);
  }

  /** Times a step. Returns whether it succeeded. */
  async step(column: Column, work: () => Promise<void>): Promise<boolean> {
    const start = performance.now();
    try {
      await work();
      this.seconds.set(column, `${((performance.now() - start) / 1000).toFixed(0)} s`);
      return true;
    } catch (error) {
      this.add(column, error);
      return false;
    }
  }

  cells(): string[] {
    const cell = (column: Column): string => {
      const [right, wrong] = this.counts.get(column) ?? [];
      if (right === undefined || wrong === undefined) return this.seconds.get(column) ?? '–';
      return wrong === 0 ? String(right) : `${right} of ${right + wrong}`;
    };
    return [this.title, ...COLUMNS.map(cell)];
  }
}

export function printTable(rows: readonly Row[]): void {
  const cells = rows.map((row) => row.cells());
  console.log(formatTable(['stack', ...COLUMNS], cells));
}
