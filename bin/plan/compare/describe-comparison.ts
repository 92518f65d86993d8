/** Describes the differences of two plans in the terminal. */
import { printable } from '../../../lib/errors';
import { formatTable } from '../../terminal/format';
import { wrapped } from '../describe-report';
import { NONE, quantityText } from '../figures';
import { differenceText } from './compared-figure';
import type { ComparedCut, Comparison } from './comparison';
import { type DeployedFunction, type Deployment, uploadText } from './deployment';

/** The end of a tensor's name says more than its beginning. */
const NAME_LENGTH = 40;

export function describeComparison(comparison: Comparison, columns: number): string {
  const { a, b, differences } = comparison;
  const { figures, settings, cuts, deployment } = differences;
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
    table(
      ['function', 'weights A', 'weights B', 'memory A', 'memory B', 'a deployment of B over A'],
      deployment.functions.map(functionRow),
    ),
    lines(deploymentLines(deployment)),
    lines([...new Set([...a.report.warnings, ...b.report.warnings])].map((warning) => `warning: ${warning}`)),
  ];
  const head = lines([['A:', a.path, ...a.flags].join(' '), ['B:', b.path, ...b.flags].join(' ')]);
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

function functionRow({ id, a, b, change, uploadBytes }: DeployedFunction): string[] {
  return [
    id,
    ...bothTexts('bytes', a?.weightBytes, b?.weightBytes),
    ...bothTexts('megabytes', a?.memoryMb, b?.memoryMb),
    `${change}${uploadBytes > 0 ? `, uploads ${quantityText('bytes', uploadBytes)}` : ''}`,
  ];
}

const CHANGES = ['updated', 'added', 'removed', 'unchanged'] as const;

function deploymentLines(own: Deployment): string[] {
  const counts = CHANGES.map((change) => [own.functions.filter((fn) => fn.change === change).length, change]);
  return [
    'A deployment of B over A, in the same stack and with the same id:',
    `- uploads ${uploadText(own)}${own.hasNewCode ? ', and new code of the functions' : ''}`,
    `- functions: ${counts.flatMap(([count, change]) => (count === 0 ? [] : [`${count} ${change}`])).join(', ')}`,
    `- state machine: ${STATE_MACHINE[own.stateMachine]}`,
    `- runs in progress: ${own.stateMachine === 'replaced' ? REPLACED_RUNS : own.mayFailRuns ? RISKY_RUNS : SAFE_RUNS}`,
  ];
}

const STATE_MACHINE = {
  unchanged: 'unchanged',
  updated: 'updated in place, so its ARN stays',
  replaced: 'replaced, because its type changes: callers must use the new ARN',
};

const SAFE_RUNS = 'they end on A';
const RISKY_RUNS =
  'they end on A. One that is still in progress when the deployment ends may fail, because functions or permissions of A are removed then; both clients start it again on B';
const REPLACED_RUNS =
  'they must end before the deployment does, because CloudFormation then deletes the state machine of A';
