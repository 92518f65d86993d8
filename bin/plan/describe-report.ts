/** Describes a report in the terminal: in a few lines, or with the runs and the other services. */
import { printable } from '../../lib/errors';
import { formatBytes, formatTable } from '../terminal/format';
import { NOT_PRICED, TEMPERATURES, percentText, quantityText, requestsText } from './figures';
import type {
  Alternative,
  PlanReport,
  ReportedEvenness,
  ReportedRun,
  ReportedSlice,
  Temperature,
} from './plan-report';

type Cell = string | number;

/** Columns of text, if standard output is no terminal or a very wide one. */
const DEFAULT_COLUMNS = 80;
const MOST_COLUMNS = 120;

/**
 * The verdict, the slices, price and time, and what to do next.
 * @param terminalColumns width of the terminal; `undefined` if standard output is none
 */
export function describeReport(report: PlanReport, terminalColumns?: number): string {
  const columns = columnsOf(terminalColumns);
  const lines = (list: readonly string[]): string[] => list.flatMap((line) => wrapped(shown(line), columns));
  return joined([
    lines(report.verdict.slice(0, 1)),
    [sliceTable(report.slices)],
    lines([...priceAndTime(report), ...besidesSlices(report)]),
    report.warnings.map((warning) => shortened(`warning: ${shown(warning)}`, terminalColumns)),
    lines(nextSteps(report)),
  ]);
}

/** All that `describeReport` leaves out too. @param terminalColumns as there */
export function describeDetails(report: PlanReport, terminalColumns?: number): string {
  const columns = columnsOf(terminalColumns);
  const sentences = (list: readonly string[]): string[] =>
    list.flatMap((sentence) => wrapped(shown(sentence), columns));
  return joined([
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
  ]);
}

function columnsOf(terminalColumns: number | undefined): number {
  return Math.min(MOST_COLUMNS, terminalColumns ?? DEFAULT_COLUMNS);
}

/** With a blank line between blocks. */
function joined(blocks: readonly (readonly string[])[]): string {
  return blocks
    .filter((block) => block.length > 0)
    .map((block) => `${block.join('\n')}\n`)
    .join('\n');
}

/** One line each. With consolidation, those of the pipeline, and not of its slices alone. */
function priceAndTime({ run, consolidation, alternatives }: PlanReport): string[] {
  const own = consolidation?.run ?? run;
  const each = (of: (temperature: Temperature) => string): string => TEMPERATURES.map(of).join(', ');
  const time = (quantile: keyof Pick<ReportedRun, 'p50' | 'p95'>, name: Temperature): string =>
    quantityText('milliseconds', own[name][quantile]);
  const month = alternatives.at(0)?.dollarsPerMonth;
  const dollars = each((name) => `${quantityText('dollars', own[name].dollarsPerMillion)} ${name}`);
  return [
    `price: ${dollars} a million runs${month === undefined ? '' : `; ${price(month)} a month`}`,
    `time: ${each((name) => `${time('p50', name)} ${name}`)} (p50); ${each((name) => time('p95', name))} (p95)`,
  ];
}

/** What the table of slices does not show: the function of the whole model, and what even slices cost. */
function besidesSlices({ consolidation, evenness, slices }: PlanReport): string[] {
  return [
    ...(consolidation
      ? [
          `whole model: a function of ${consolidation.memoryMb.toLocaleString('en-US')} MB serves the runs that find it warm`,
        ]
      : []),
    ...(evenness && slices.length > 1 ? [evenLine(evenness, slices.length)] : []),
  ];
}

function evenLine({ largestShare, dollarsPerMillion, cheapest }: ReportedEvenness, slices: number): string {
  const [own, least] = [dollarsPerMillion, cheapest.dollarsPerMillion].map((dollars) =>
    quantityText('dollars', dollars),
  );
  const costs =
    own === least ? '' : `; without that goal, ${slices} slices would cost ${least} instead of ${own}`;
  return `even: the largest slice does ${percentText(largestShare)} of the work${costs}`;
}

/** Sizes of the user come first, because they change all figures. */
function nextSteps({ model }: PlanReport): string[] {
  const isAssumed = model.dimensions.some((dimension) => dimension.isAssumed);
  return [
    ...(isAssumed ? ['next: plan again with --dimension name=size for the sizes of your requests'] : []),
    'next: check the bits with `verify` and the same flags, then write with `slice`',
    'more: --details (runs, other services, all warnings), --report r.html (charts)',
  ];
}

/** In a terminal, one line of text, whose end `--details` has. */
function shortened(line: string, terminalColumns = Infinity): string {
  const columns = Math.min(MOST_COLUMNS, terminalColumns);
  return terminalColumns !== Infinity && line.length > columns
    ? `${line.slice(0, columns - 1).trimEnd()}…`
    : line;
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

/** The slices whose tensors are not in S3, if there are any. */
function statedSlices(slices: readonly ReportedSlice[]): string[] {
  const stated = slices.filter(({ writesTo }) => writesTo === 'state').map(({ slice }) => slice);
  if (stated.length === 0) return [];
  const handing = stated.length === 1 ? `slice ${stated[0]} hands` : `slices ${stated.join(', ')} hand`;
  return [`${handing} on small tensors in the state of the execution, without S3`];
}

/** With consolidation, the runs of both, so that they can be compared. */
function runTable({ run, consolidation }: PlanReport): string {
  const rowsOf = (runs: PlanReport['run'], suffix: string): string[][] =>
    TEMPERATURES.map((temperature) => {
      const { dollarsPerMillion, p50, p95 } = runs[temperature];
      const times = [p50, p95].map((ms) => quantityText('milliseconds', ms));
      return [`${temperature}${suffix}`, quantityText('dollars', dollarsPerMillion), ...times];
    });
  const own = consolidation ? rowsOf(consolidation.run, ', consolidated') : [];
  const rows = [...own, ...rowsOf(run, consolidation ? ', slices alone' : '')];
  return formatTable(['run', 'a million', 'p50', 'p95'], rows);
}

/** This plan and the services that break no limit. */
function serviceTable(alternatives: readonly Alternative[]): string {
  const rows = alternatives
    .filter(({ isFeasible }) => isFeasible)
    .map(({ service, dollarsPerMonth, warm, cold }) => [
      shown(service),
      price(dollarsPerMonth),
      price(warm?.dollarsPerMillion),
      quantityText('milliseconds', warm?.p50),
      quantityText('milliseconds', cold?.p50),
    ]);
  return formatTable(['service', 'a month', '1M warm', 'warm p50', 'cold p50'], rows);
}

/** Without fractions of a cent, which would make the table too wide. */
function price(dollars: number | undefined): string {
  return dollars !== undefined && dollars > 0 && dollars < 0.01 ? '<$0.01' : quantityText('dollars', dollars);
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
