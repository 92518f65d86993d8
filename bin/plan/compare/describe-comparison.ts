/** Describes the differences of two plans in the terminal. */
import { printable } from '../../../lib/errors';
import { formatTable } from '../../terminal/format';
import { wrapped } from '../describe-report';
import { quantityText } from '../figures';
import { differenceText } from './compared-figure';
import type { Comparison } from './comparison';

export function describeComparison(comparison: Comparison, columns: number): string {
  const { a, b, differences } = comparison;
  const { isSamePlan, settings } = differences;
  const figures = isSamePlan ? [] : differences.figures;
  const lines = (list: readonly string[]): string =>
    list.flatMap((line) => wrapped(printable(line, 1000), columns)).join('\n');
  const tables = [
    table(
      ['settings that differ', 'A', 'B'],
      settings.map((own) => [printable(own.name, 60), own.a, own.b]),
    ),
    table(
      ['estimates', 'A', 'B', 'B − A'],
      figures.map((own) => [
        own.name,
        quantityText(own.kind, own.a),
        quantityText(own.kind, own.b),
        differenceText(own),
      ]),
    ),
    lines([...new Set([...a.report.warnings, ...b.report.warnings])].map((warning) => `warning: ${warning}`)),
  ];
  const head = lines([`A: ${a.path}`, `B: ${b.path}`]);
  return [lines([differences.verdict]), head, ...tables]
    .filter((block) => block !== '')
    .map((block) => `${block.trimEnd()}\n`)
    .join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : formatTable(head, rows);
}
