/** Describes a report in the terminal: the verdict, the slices, price and time, and what to do next. */
import { printable } from '../../lib/errors';
import { formatTable } from '../terminal/format';
import {
  type QuantityKind,
  TEMPERATURES,
  atRate,
  figureText,
  grouped,
  quantityText,
  runFigure,
} from './figures';
import { rewrittenNote } from '../../lib/plan/int8-weights';
import { NOT_PACKED } from '../../lib/plan/notes';
import { splitSentence } from './report/sentences';
import type { PlanReport, ReportedBatch, ReportedSlice, Temperature } from './plan-report';

/** Columns of text, if standard output is no terminal or a very wide one. */
const DEFAULT_COLUMNS = 80;
const MOST_COLUMNS = 120;

/** @param terminalColumns width of the terminal; `undefined` if standard output is none */
export function textColumns(terminalColumns = DEFAULT_COLUMNS): number {
  return Math.min(MOST_COLUMNS, terminalColumns);
}

/** @param terminalColumns see `textColumns` @param page of `--report` @param deploy code, whose lines stay as they are */
export function describeReport(
  report: PlanReport,
  terminalColumns?: number,
  { page, deploy }: { readonly page?: string | undefined; readonly deploy?: readonly string[] } = {},
): string {
  const columns = textColumns(terminalColumns);
  // Sentences may hold names of the model.
  const lines = (list: readonly string[]): string[] =>
    list.flatMap((line) => wrapped(printable(line, 500), columns));
  const isGuess = report.dataSizes?.failure !== undefined;
  const blocks = [
    lines([...report.verdict.slice(0, isGuess ? 2 : 1), ...cheapestLines(report)]),
    [sliceTable(report.slices)],
    lines(report.splits.map((split) => `split: ${splitSentence(split)}`)),
    lines(int8Lines(report)),
    lines(report.prepacking ? [] : [NOT_PACKED]),
    lines([...priceAndTime(report), `processors: ${report.processors.sentence}`]),
    servicesBlock(report, lines),
    lines(report.warnings.map((warning) => `warning: ${warning}`)),
    ...(report.batch ? describeBatch(report.batch, lines) : []),
    lines(nextSteps(report, page)),
    page === undefined ? [] : [`report written to ${page}`],
    deploy === undefined ? [] : ['in a CDK app, as recommended:', ...deploy.map((line) => `  ${line}`)],
  ];
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => `${block.join('\n')}\n`)
    .join('\n');
}

/** For a rate that the user gave. */
function cheapestLines({ cheapest, requests }: PlanReport): string[] {
  return requests.isAssumed || cheapest === undefined ? [] : [cheapest];
}

/** For a rate that the user gave: the services by their price, those with a guess marked. */
function servicesBlock(
  { alternatives, requests }: PlanReport,
  lines: (lines: readonly string[]) => string[],
): string[] {
  if (requests.isAssumed) return [];
  const rows = alternatives
    .toSorted((a, b) => (a.dollarsPerMonth ?? Infinity) - (b.dollarsPerMonth ?? Infinity))
    .map(({ service, memoryMb, guess, dollarsPerMonth, warm, cold }) => [
      service,
      quantityText('megabytes', memoryMb),
      dollarsPerMonth === undefined
        ? 'out'
        : `${guess === undefined ? '' : '? '}${quantityText('dollars', dollarsPerMonth)}`,
      quantityText('milliseconds', warm?.p50),
      quantityText('milliseconds', cold?.p50),
    ]);
  const table = formatTable(['service', 'memory', 'a month', 'warm p50', 'cold p50'], rows);
  return [table.trimEnd(), ...lines(['?: rests on a guess, which --report explains'])];
}

function int8Lines({ int8Weights }: PlanReport): string[] {
  const note = int8Weights && rewrittenNote(int8Weights);
  return note === undefined ? [] : [`8 bits: ${note}`];
}

/** With consolidation, those of the pipeline, and not of its slices alone. */
function priceAndTime({ run, consolidation, alternatives, requests }: PlanReport): string[] {
  const own = consolidation?.run ?? run;
  const each = (of: (temperature: Temperature) => string): string => TEMPERATURES.map(of).join(', ');
  const figures = (name: 'dollarsPerMillion' | 'p50' | 'p95'): string =>
    each((temperature) => `${figureText(runFigure(own[temperature], name))} ${temperature}`);
  const time = (quantile: 'p50' | 'p95'): string => `time, ${quantile}: ${figures(quantile)}`;
  const month = alternatives.at(0)?.dollarsPerMonth;
  return [
    `price: ${figures('dollarsPerMillion')} a million runs${month === undefined ? '' : `; ${monthly(month)} a month ${atRate(requests)}`}`,
    time('p50'),
    time('p95'),
    ...(consolidation
      ? [
          `whole model: a function of ${quantityText('megabytes', consolidation.memoryMb)} serves the runs that find it warm`,
        ]
      : []),
  ];
}

/** Without fractions of a cent. */
function monthly(dollars: number): string {
  return dollars > 0 && dollars < 0.01 ? '<$0.01' : quantityText('dollars', dollars);
}

/** Sizes of the user come first, because they change all figures. */
function nextSteps({ model, choice }: PlanReport, page?: string): string[] {
  const isAssumed = model.dimensions.some((dimension) => dimension.isAssumed);
  const check =
    choice === 'one-function'
      ? 'next: check the function with `verify --function`'
      : 'next: write with `slice` (same flags), then check with `verify --slicing-plan`';
  return [
    ...(isAssumed ? ['next: plan again with --dimension name=size for the sizes of your requests'] : []),
    check,
    ...(page === undefined ? ['more: --report r.html (runs, other services, cuts, all notes)'] : []),
  ];
}

/** The columns of the table of slices. It has at most 80 columns of text; the page and `--json` have more figures. */
const SLICE_COLUMNS: readonly (readonly [head: string, cell: (slice: ReportedSlice) => string | number])[] = [
  ['slice', ({ slice }) => slice],
  ['files', ({ fileBytes }) => quantityText('bytes', fileBytes)],
  ['memory', ({ memoryMb }) => quantityText('megabytes', memoryMb)],
  ['peak', ({ peakMemoryBytes }) => quantityText('bytes', peakMemoryBytes)],
  ['read', ({ readBytes }) => quantityText('bytes', readBytes)],
  ['written', ({ writeBytes }) => quantityText('bytes', writeBytes)],
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

/** Its size, time, price by line, and quotas, as blocks of lines. @param lines breaks long ones */
function describeBatch(batch: ReportedBatch, lines: (lines: readonly string[]) => string[]): string[][] {
  const { items, children, itemsPerRun, childrenAtOnce, costs, quotas, ends } = batch;
  const count = (value: number): string => grouped(value);
  const usd = (value: number): string => quantityText('dollars', value);
  const used = (value: number): string => (value < 10 ? value.toPrecision(2) : count(value));
  const percentiles = (name: 'milliseconds' | 'dollars', kind: QuantityKind): string =>
    (['p50', 'p95'] as const)
      .map((own) => {
        const [fast, slow] = [ends.fast[name][own], ends.slow[name][own]];
        return `${own} ${figureText({ kind, value: batch[name][own], ends: { fast, slow } })}`;
      })
      .join(', ');
  return [
    lines([
      `batch: ${count(items)} items in ${count(children)} children of ${count(itemsPerRun)}, ${count(childrenAtOnce)} at once`,
      `time: ${percentiles('milliseconds', 'duration')}; ${used(batch.itemsPerSecond)} items a second`,
      `price: ${percentiles('dollars', 'dollars')}`,
    ]),
    [
      formatTable(
        ['price by line', 'dollars'],
        costs.map((cost) => [cost.item, usd(cost.dollars)]),
      ),
    ],
    [
      formatTable(
        ['quota', 'batch', 'limit'],
        quotas.map((own) => [own.quota, used(own.used), count(own.limit)]),
      ),
    ],
    lines(batch.warnings.map((warning) => `warning: ${warning}`)),
  ];
}

/** A blank that is not between a number and its unit. */
const BREAK = /(?<!\d) | (?!(?:%|[KMGT]?B|[mµ]?s|min|h)(?!\w))/;

/** Breaks a line between words; further lines are indented. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(BREAK)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(last === undefined ? word : `  ${word}`);
  }
  return lines;
}
