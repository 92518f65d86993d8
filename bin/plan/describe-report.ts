/** Describes a report in the terminal: the verdict first, then the slices, the price, the time and the other services. */
import { printable } from '../../lib/errors';
import { formatBytes, formatTable } from '../terminal/format';
import { NOT_PRICED, figureText, maybe, quantity, requestsText } from './figures';
import type { Alternative, PlanReport, ReportedSlice } from './plan-report';

type Cell = string | number;

/** Columns of text, if standard output is no terminal or a very wide one. */
const DEFAULT_COLUMNS = 80;
const MOST_COLUMNS = 120;

/** @param terminalColumns width of the terminal; `undefined` if standard output is none */
export function describeReport(report: PlanReport, terminalColumns?: number): string {
  const columns = Math.min(MOST_COLUMNS, terminalColumns ?? DEFAULT_COLUMNS);
  const sentences = (list: readonly string[]): string[] =>
    list.flatMap((sentence) => wrapped(shown(sentence), columns));
  return [
    sentences(report.verdict),
    sentences([...report.warnings.map((warning) => `warning: ${warning}`), ...givenSizes(report)]),
    [sliceTable(report.slices), ...sentences(statedSlices(report.slices))],
    [runTable(report)],
    [
      ...sentences([`services ${requestsText(report.requests)}; – where the hour is charged, not the run:`]),
      serviceTable(report.alternatives),
    ],
    sentences([...notesOf(report.alternatives), ...outOf(report.alternatives)]),
    sentences([NOT_PRICED]),
  ]
    .filter((block) => block.length > 0)
    .map((block) => `${block.join('\n')}\n`)
    .join('\n');
}

/** The warnings have the sizes that are assumed. */
function givenSizes({ model }: PlanReport): string[] {
  const given = model.dimensions.filter(({ isAssumed }) => !isAssumed);
  if (given.length === 0) return [];
  return [`planned for ${given.map(({ name, size }) => `${name}=${size}`).join(', ')}`];
}

/** The columns of the table of slices. It has at most 80 columns of text; the page and `--json` have more figures. */
const SLICE_COLUMNS: readonly (readonly [head: string, cell: (slice: ReportedSlice) => Cell])[] = [
  ['slice', ({ slice }) => slice],
  ['files', ({ fileBytes }) => formatBytes(fileBytes)],
  ['memory', ({ memoryMb }) => `${memoryMb}MB`],
  ['peak', ({ peakMemoryBytes }) => formatBytes(peakMemoryBytes)],
  ['read', ({ readBytes }) => formatBytes(readBytes)],
  ['written', ({ writeBytes }) => formatBytes(writeBytes)],
  ['compute', ({ coreSeconds }) => figureText(quantity('seconds', coreSeconds))],
  ['warm', ({ times }) => figureText(quantity('milliseconds', times.warmMs))],
  ['load', ({ times }) => figureText(quantity('milliseconds', times.loadMs))],
];

function sliceTable(slices: readonly ReportedSlice[]): string {
  return formatTable(
    SLICE_COLUMNS.map(([head]) => head),
    slices.map((slice) => SLICE_COLUMNS.map(([, cell]) => cell(slice))),
  );
}

/** The slices whose tensors are not in S3, if there are any. */
function statedSlices(slices: readonly ReportedSlice[]): string[] {
  const stated = slices.filter(({ writesTo }) => writesTo === 'state').map(({ slice }) => slice);
  if (stated.length === 0) return [];
  const handing = stated.length === 1 ? `slice ${stated[0]} hands` : `slices ${stated.join(', ')} hand`;
  return [`${handing} on small tensors in the state of the execution, without S3`];
}

/** With consolidation, the runs of both, so that they can be compared. */
function runTable({ run, consolidation }: PlanReport): string {
  const own = consolidation ? runRows(consolidation.run, ', consolidated') : [];
  const rows = [...own, ...runRows(run, consolidation ? ', slices alone' : '')];
  return formatTable(['run', 'a million', 'p50', 'p95'], rows);
}

function runRows(run: PlanReport['run'], suffix: string): string[][] {
  return (['warm', 'mixed', 'cold'] as const).map((temperature) => {
    const { dollarsPerMillion, p50, p95 } = run[temperature];
    return [
      `${temperature}${suffix}`,
      figureText(quantity('dollars', dollarsPerMillion)),
      figureText(quantity('milliseconds', p50)),
      figureText(quantity('milliseconds', p95)),
    ];
  });
}

/** This plan and the services that break no limit. */
function serviceTable(alternatives: readonly Alternative[]): string {
  const rows = alternatives
    .filter(({ isFeasible }) => isFeasible)
    .map(({ service, dollarsPerMonth, warm, cold }) => [
      shown(service),
      price(dollarsPerMonth),
      price(warm?.dollarsPerMillion),
      figureText(maybe('milliseconds', warm?.p50)),
      figureText(maybe('milliseconds', cold?.p50)),
    ]);
  return formatTable(['service', 'a month', '1M warm', 'warm p50', 'cold p50'], rows);
}

/** Without fractions of a cent, which would make the table too wide. */
function price(dollars: number | undefined): string {
  return dollars !== undefined && dollars > 0 && dollars < 0.01
    ? '<$0.01'
    : figureText(maybe('dollars', dollars));
}

/** What a user must know of the services that can be used; the page has the notes of all. */
function notesOf(alternatives: readonly Alternative[]): string[] {
  return alternatives
    .filter(({ isFeasible, notes }) => isFeasible && notes.length > 0)
    .map(({ service, size, notes }) => `${service} (${size}): ${notes.join(' ')}`);
}

function outOf(alternatives: readonly Alternative[]): string[] {
  return alternatives
    .filter(({ isFeasible }) => !isFeasible)
    .map(({ service, breaks }) => `${service} is out: ${breaks.join(' ')}`);
}

/** Breaks a line between words; further lines are indented. */
function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(last === undefined ? word : `  ${word}`);
  }
  return lines;
}

/** Sentences and names may hold names of the model. */
function shown(text: string): string {
  return printable(text, 500);
}
