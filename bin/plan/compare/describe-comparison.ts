/** Describes the differences of two plans in the terminal. */
import { printable } from '../../../lib/errors';
import { formatTable } from '../../terminal/format';
import { wrapped } from '../describe-report';
import { NONE, quantityText } from '../figures';
import { differenceText } from './compared-figure';
import type { ComparedCut, Comparison } from './comparison';

/** The end of a tensor's name says more than its beginning. */
const NAME_LENGTH = 40;

export function describeComparison(comparison: Comparison, columns: number): string {
  const { a, b, differences } = comparison;
  const { figures, settings, cuts } = differences;
  const lines = (list: readonly string[]): string =>
    list.flatMap((line) => wrapped(printable(line, 1000), columns)).join('\n');
  const tables = [
    table(
      ['settings that differ', 'A', 'B'],
      settings.map((own) => [printable(own.name, 60), own.a, own.b]),
    ),
    table(
      ['estimates', 'A', 'B', 'B − A'],
      figures.map((own) => [own.name, ...bothTexts(own.kind, own.a, own.b), differenceText(own)]),
    ),
    `${cutsLine(cuts)}\n${table(['tensors at the cut', 'A, after slice', 'B, after slice'], cuts.map(cutRow))}`,
    lines([...new Set([...a.report.warnings, ...b.report.warnings])].map((warning) => `warning: ${warning}`)),
  ];
  const head = lines([`A: ${a.path}`, `B: ${b.path}`]);
  return [lines([differences.verdict]), head, ...(differences.isSamePlan ? [] : tables)]
    .filter((block) => block !== '')
    .map((block) => `${block.trimEnd()}\n`)
    .join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : formatTable(head, rows);
}

function bothTexts(kind: Parameters<typeof quantityText>[0], a?: number | null, b?: number | null): string[] {
  return [quantityText(kind, a), quantityText(kind, b)];
}

function cutsLine(cuts: readonly ComparedCut[]): string {
  const [inB, inA] = [cuts.filter(({ a }) => a === null).length, cuts.filter(({ b }) => b === null).length];
  return `cuts: ${cuts.length - inA - inB} in both plans, ${inA} only in A, ${inB} only in B`;
}

function cutRow({ tensors, a, b }: ComparedCut): string[] {
  const [first = 'none', ...others] = tensors;
  const name = first.length > NAME_LENGTH ? `…${first.slice(1 - NAME_LENGTH)}` : first;
  const place = (own: ComparedCut['a']): string => {
    return own === null ? NONE : `${own.slice}: ${quantityText('bytes', own.bytes)}`;
  };
  return [others.length === 0 ? name : `${name} and ${others.length} more`, place(a), place(b)];
}
