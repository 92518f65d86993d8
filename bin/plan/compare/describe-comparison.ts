/** Describes the differences of two plans in the terminal. */
import { printable } from '../../../lib/errors';
import { wrapped } from '../describe-report';
import { formatTable } from '../../terminal/format';
import { NONE, quantityText } from '../figures';
import type { ComparedCut, Comparison } from './comparison';
import type { DeployedFunction, Deployment } from './deployment';
import { differenceText } from './compared-figure';

/** The most rows of a table of cuts or of functions; `--json` has all. */
const MOST_ROWS = 24;

/** The end of a name of a tensor says more than its beginning. */
const NAME_LENGTH = 40;

/** @param flags of the second plan */
export function describeComparison(
  comparison: Comparison,
  flags: readonly string[],
  columns: number,
): string {
  const lines = (list: readonly string[]): string[] =>
    list.flatMap((line) => wrapped(printable(line, 1000), columns));
  const head = [`A: ${comparison.a.path}`, [`B: ${comparison.b.path}`, ...flags].join(' ')];
  const { verdict, isSamePlan, figures, settings, cuts, deployment } = comparison.differences;
  if (isSamePlan) return blocks([lines([verdict]), lines(head)]);
  const figureRows = figures
    .filter(({ a, b }) => a !== null || b !== null)
    .map((own) => [
      own.name,
      quantityText(own.kind, own.a),
      quantityText(own.kind, own.b),
      differenceText(own),
    ]);
  return blocks([
    lines([verdict]),
    lines(head),
    table(
      ['settings that differ', 'A', 'B'],
      settings.map(({ name, a, b }) => [printable(name, NAME_LENGTH), a, b]),
    ),
    table(['', 'A', 'B', 'B − A'], figureRows),
    [cutsLine(cuts), ...table(['tensors at the cut', 'A, after slice', 'B, after slice'], cuts.map(cutRow))],
    table(
      ['function', 'weights A', 'weights B', 'memory A', 'memory B', 'a deployment of B over A'],
      deployment.functions.map(functionRow),
    ),
    lines(deploymentLines(deployment)),
    lines(warningsOf(comparison)),
  ]);
}

function blocks(all: readonly (readonly string[])[]): string {
  return all
    .filter((block) => block.length > 0)
    .map((block) => `${block.join('\n')}\n`)
    .join('\n');
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  if (rows.length === 0) return [];
  const more = rows.length - MOST_ROWS;
  return [formatTable(head, rows.slice(0, MOST_ROWS)), ...(more > 0 ? [`and ${more} more: see --json`] : [])];
}

function cutsLine(cuts: readonly ComparedCut[]): string {
  const [inB, inA] = [cuts.filter(({ a }) => a === null), cuts.filter(({ b }) => b === null)];
  const inBoth = cuts.length - inA.length - inB.length;
  return `cuts: ${inBoth} in both plans, ${inA.length} only in A, ${inB.length} only in B`;
}

function cutRow({ tensors, a, b }: ComparedCut): string[] {
  const [first = 'none', ...others] = tensors;
  const name = first.length > NAME_LENGTH ? `…${first.slice(1 - NAME_LENGTH)}` : first;
  const place = (own: ComparedCut['a']): string => {
    if (own === null) return NONE;
    return own.bytes === undefined ? String(own.slice) : `${own.slice}: ${quantityText('bytes', own.bytes)}`;
  };
  return [others.length === 0 ? name : `${name} and ${others.length} more`, place(a), place(b)];
}

function functionRow(fn: DeployedFunction): string[] {
  const bytes = ({ a, b }: DeployedFunction) => [a, b].map((own) => quantityText('bytes', own?.weightBytes));
  const memory = ({ a, b }: DeployedFunction) =>
    [a, b].map((own) => quantityText('megabytes', own?.memoryMb));
  return [fn.id, ...bytes(fn), ...memory(fn), changeText(fn)];
}

function changeText({ change, hasNewFiles, uploadBytes }: DeployedFunction): string {
  if (change === 'unchanged' || change === 'removed') return change;
  const size = quantityText('bytes', uploadBytes);
  if (uploadBytes > 0) return `${change}, uploads ${size}`;
  return `${change}, ${hasNewFiles || change === 'added' ? 'files of A' : 'same files'}`;
}

function deploymentLines({ functions, ...own }: Deployment): string[] {
  const count = (change: DeployedFunction['change']): number =>
    functions.filter((fn) => fn.change === change).length;
  const changes = (['updated', 'added', 'removed', 'unchanged'] as const).filter(
    (change) => count(change) > 0,
  );
  return [
    'A deployment of B over A, in the same stack and with the same id:',
    `- uploads ${filesText(own.uploadFiles)}, ${quantityText('bytes', own.uploadBytes)}${own.hasNewCode ? ', and other code of the functions' : ''}; already there: ${filesText(own.keptFiles)}`,
    `- functions: ${changes.map((change) => `${count(change)} ${change}`).join(', ')}`,
    `- state machine: ${STATE_MACHINE[own.stateMachine]}`,
    `- runs in progress: ${own.stateMachine === 'replaced' ? REPLACED_RUNS : own.mayFailRuns ? RISKY_RUNS : SAFE_RUNS}`,
  ];
}

function filesText(count: number): string {
  return count === 1 ? '1 file' : `${count} files`;
}

const STATE_MACHINE = {
  unchanged: 'unchanged',
  updated: 'updated in place, so its ARN stays',
  replaced: 'replaced, because its type changes: callers must use the new ARN',
};

const RISKY_RUNS =
  'they end on A. One that is still in progress when the deployment ends may fail, because functions or permissions of A are removed then; the clients start it again on B';
const SAFE_RUNS = 'they end on A';
const REPLACED_RUNS =
  'they must end before the deployment does, because CloudFormation then deletes the state machine of A';

/** Of each plan once, with what the prices of a plan file need. */
function warningsOf({ a, b }: Comparison): string[] {
  const ofA = a.report?.warnings ?? [];
  const ofB = b.report?.warnings ?? [];
  return [
    ...ofA.map((warning) => `warning${ofB.includes(warning) ? '' : ' (A)'}: ${warning}`),
    ...ofB.filter((warning) => !ofA.includes(warning)).map((warning) => `warning (B): ${warning}`),
    ...[a, b].flatMap(({ path, model, report }) => (report ? [] : [`warning: ${withoutModel(path, model)}`])),
  ];
}

function withoutModel(path: string, model: string): string {
  return `${path} has no prices and times, because its model is not found: put ${model} beside it or into the folder above it`;
}
