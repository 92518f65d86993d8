/** The table of stacks and calls. */
import { formatTable } from '../../bench/table';

export const COLUMNS = [
  'deploy',
  'TypeScript',
  'Python',
  'HTTP API',
  'other calls',
  'denied',
  'other slices',
  'other model',
  'redrive',
  'destroy',
] as const;
export type Column = (typeof COLUMNS)[number];

/** What happened to a stack. */
export class Row {
  readonly failures: string[] = [];
  private readonly counts = new Map<Column, { right: number; wrong: number }>();
  private readonly texts = new Map<Column, string>();

  constructor(readonly title: string) {}

  right(column: Column): void {
    this.countOf(column).right++;
  }

  wrong(column: Column, reason: unknown): void {
    this.countOf(column).wrong++;
    const text = reason instanceof Error ? reason.message : String(reason);
    this.failures.push(`${this.title}, ${column}: ${text}`);
  }

  /** Times a step. Returns whether it succeeded. */
  async step(column: Column, work: () => Promise<void>): Promise<boolean> {
    const start = performance.now();
    try {
      await work();
      this.texts.set(column, `${((performance.now() - start) / 1000).toFixed(0)} s`);
      return true;
    } catch (error) {
      this.texts.set(column, 'FAILED');
      this.wrong(column, error);
      return false;
    }
  }

  cell(column: Column): string {
    const text = this.texts.get(column);
    if (text !== undefined) return text;
    const count = this.counts.get(column);
    if (count === undefined) return '–';
    const { right, wrong } = count;
    return wrong === 0 ? String(right) : `${right} of ${right + wrong}`;
  }

  get identical(): number {
    return [...this.counts.values()].reduce((sum, { right }) => sum + right, 0);
  }

  private countOf(column: Column): { right: number; wrong: number } {
    const count = this.counts.get(column) ?? { right: 0, wrong: 0 };
    this.counts.set(column, count);
    return count;
  }
}

/** Each number counts calls whose results have the bits of ONNX Runtime on the whole model. */
export function printTable(rows: readonly Row[]): void {
  const cells = rows.map((row) => [row.title, ...COLUMNS.map((column) => row.cell(column))]);
  console.log(formatTable(['stack', ...COLUMNS], cells));
  for (const { failures } of rows) for (const failure of failures) console.log(`\n${failure}`);
}
