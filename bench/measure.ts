/** Runs programs, sums up samples, and formats them. */
import { spawnSync } from 'node:child_process';
import Table from 'cli-table3';

/** Runs a program to its end. */
export function run(
  command: string,
  args: readonly string[],
  { env, cwd }: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): void {
  const { status, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    cwd,
    maxBuffer: 2 ** 28,
  });
  if (status === 0) return;
  throw new Error(`${command} ${args.join(' ')} failed: ${error?.message ?? stderr.trim()}`);
}

/** The median, the lowest and the highest sample: `1.02 (0.98-1.10)`. */
export function formatSpread(samples: readonly number[], digits: number): string {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
  const [shown, lowest, highest] = [median, sorted[0], sorted[sorted.length - 1]].map((sample) =>
    sample.toFixed(digits),
  );
  return `${shown} (${lowest}-${highest})`;
}

export function formatTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  table.push(...rows.map((row) => row.map(String)));
  return table.toString();
}
