/** Describes a report in the terminal: the verdict, the slices, price and time, and what to do next. */
import { printable } from '../../lib/errors';
import { formatBytes, formatTable } from '../terminal/format';
import { describeBatch } from './describe-batch';
import { TEMPERATURES, atRate, quantityText } from './figures';
import { splitSentence } from './report/sentences';
import type { PlanReport, ReportedSlice, Temperature } from './plan-report';

/** Columns of text, if standard output is no terminal or a very wide one. */
const DEFAULT_COLUMNS = 80;
const MOST_COLUMNS = 120;

/** @param terminalColumns width of the terminal; `undefined` if standard output is none */
export function textColumns(terminalColumns = DEFAULT_COLUMNS): number {
  return Math.min(MOST_COLUMNS, terminalColumns);
}

/** @param terminalColumns see `textColumns` */
export function describeReport(report: PlanReport, terminalColumns?: number): string {
  const columns = textColumns(terminalColumns);
  // Sentences may hold names of the model.
  const lines = (list: readonly string[]): string[] =>
    list.flatMap((line) => wrapped(printable(line, 500), columns));
  const blocks = [
    lines(report.verdict.slice(0, 1)),
    [sliceTable(report.slices)],
    lines(report.splits.map((split) => `split: ${splitSentence(split)}`)),
    lines(priceAndTime(report)),
    lines(report.warnings.map((warning) => `warning: ${warning}`)),
    ...(report.batch ? describeBatch(report.batch, lines) : []),
    lines(nextSteps(report)),
  ];
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => `${block.join('\n')}\n`)
    .join('\n');
}

/** With consolidation, those of the pipeline, and not of its slices alone. */
function priceAndTime({ run, consolidation, alternatives, requests }: PlanReport): string[] {
  const own = consolidation?.run ?? run;
  const each = (of: (temperature: Temperature) => string): string => TEMPERATURES.map(of).join(', ');
  const time = (quantile: 'p50' | 'p95', name: Temperature): string =>
    quantityText('milliseconds', own[name][quantile]);
  const month = alternatives.at(0)?.dollarsPerMonth;
  const dollars = each((name) => `${quantityText('dollars', own[name].dollarsPerMillion)} ${name}`);
  return [
    `price: ${dollars} a million runs${month === undefined ? '' : `; ${monthly(month)} a month ${atRate(requests)}`}`,
    `time: ${each((name) => `${time('p50', name)} ${name}`)} (p50); ${each((name) => time('p95', name))} (p95)`,
    ...(consolidation
      ? [
          `whole model: a function of ${consolidation.memoryMb.toLocaleString('en-US')} MB serves the runs that find it warm`,
        ]
      : []),
  ];
}

/** Without fractions of a cent. */
function monthly(dollars: number): string {
  return dollars > 0 && dollars < 0.01 ? '<$0.01' : quantityText('dollars', dollars);
}

/** Sizes of the user come first, because they change all figures. */
function nextSteps({ model }: PlanReport): string[] {
  const isAssumed = model.dimensions.some((dimension) => dimension.isAssumed);
  return [
    ...(isAssumed ? ['next: plan again with --dimension name=size for the sizes of your requests'] : []),
    'next: check the bits with `verify` and the same flags, then write with `slice`',
    'more: --report r.html (runs, other services, all notes, charts)',
  ];
}

/** The columns of the table of slices. It has at most 80 columns of text; the page and `--json` have more figures. */
const SLICE_COLUMNS: readonly (readonly [head: string, cell: (slice: ReportedSlice) => string | number])[] = [
  ['slice', ({ slice }) => slice],
  ['files', ({ fileBytes }) => formatBytes(fileBytes)],
  ['memory', ({ memoryMb }) => `${memoryMb}MB`],
  ['peak', ({ peakMemoryBytes }) => formatBytes(peakMemoryBytes)],
  ['read', ({ readBytes }) => formatBytes(readBytes)],
  ['written', ({ writeBytes }) => formatBytes(writeBytes)],
  ['compute', ({ coreSeconds }) => quantityText('seconds', coreSeconds)],
  ['warm', ({ times }) => quantityText('milliseconds', times.warmMs)],
  ['load', ({ times }) => quantityText('milliseconds', times.loadMs)],
];

function sliceTable(slices: readonly ReportedSlice[]): string {
  return formatTable(
    SLICE_COLUMNS.map(([head]) => head),
    slices.map((slice) => SLICE_COLUMNS.map(([, cell]) => cell(slice))),
  );
}

/** Breaks a line between words; further lines are indented. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(last === undefined ? word : `  ${word}`);
  }
  return lines;
}
