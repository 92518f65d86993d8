/** Runs checks on synthesized stacks, and formats a table of all results and a list of the findings. */
import { formatTable } from '../../bench/table';
import type { Check, Finding } from './check';
import type { SynthesizedCase } from './synthesize';

export interface Report {
  /** The table, what was skipped, and the findings. */
  readonly text: string;
  readonly findings: number;
}

export async function runChecks(
  cases: readonly SynthesizedCase[],
  checks: readonly Check[],
  onEnd: (check: string, seconds: number) => void = () => undefined,
): Promise<Report> {
  const columns: string[][] = [];
  const skipped: string[] = [];
  const findings: string[] = [];
  for (const { name, run } of checks) {
    const start = performance.now();
    const outcome = await run(cases);
    onEnd(name, (performance.now() - start) / 1000);
    if ('skipped' in outcome) {
      skipped.push(`${name} skipped: ${outcome.skipped}`);
      columns.push(cases.map(() => 'skipped'));
      continue;
    }
    columns.push(outcome.findings.map(({ length }) => (length === 0 ? 'ok' : plural(length))));
    outcome.findings.forEach((own, index) => {
      findings.push(...own.map((finding) => line(cases[index].name, name, finding)));
    });
  }
  const rows = cases.map(({ name }, index) => [name, ...columns.map((column) => column[index])]);
  const table = formatTable(['stack', ...checks.map(({ name }) => name)], rows);
  return { text: [table, ...skipped, ...findings].join('\n'), findings: findings.length };
}

function plural(count: number): string {
  return count === 1 ? '1 finding' : `${count} findings`;
}

function line(stack: string, check: string, { place, message }: Finding): string {
  return `${stack}, ${check}: ${place}: ${message}`;
}
