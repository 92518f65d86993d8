/** Describes a report in the terminal: the verdict first, then the slices, the price, the time and the other services. */
import { printable } from '../../lib/errors';
import { formatBytes, formatTable } from '../terminal/format';
import { NONE, figureText, quantity } from './figures';
import type { QuantityKind } from './figures';
import type { Alternative, PlanReport, ReportedRun, ReportedSlice } from './plan-report';

type Cell = string | number;

export function describeReport(report: PlanReport): string {
  const { run, alternatives = [] } = report;
  return [
    [...report.verdict, ...report.warnings.map((warning) => `warning: ${warning}`)].map(shown),
    dimensionLines(report),
    [sliceTable(report.slices)],
    run ? runLines(run) : [],
    alternatives.length > 0 ? serviceLines(alternatives, report.cheapest ?? []) : [],
  ]
    .filter((block) => block.length > 0)
    .map((block) => `${block.join('\n')}\n`)
    .join('\n');
}

function dimensionLines({ model }: PlanReport): string[] {
  return model.dimensions.map(({ name, size, isAssumed }) =>
    isAssumed ? `${shown(name)} = ${size} is assumed; --dimension sets it` : `${shown(name)} = ${size}`,
  );
}

/** The columns of the table of slices; a column without a number is left out. */
const SLICE_COLUMNS: readonly (readonly [head: string, cell: (slice: ReportedSlice) => Cell | undefined])[] =
  [
    ['slice', ({ slice }) => slice],
    ['nodes', ({ nodes }) => nodes],
    ['files', ({ fileBytes }) => formatBytes(fileBytes)],
    ['function', ({ memoryMb }) => `${memoryMb}MB`],
    ['peak', ({ peakMemoryBytes: bytes }) => (bytes === undefined ? undefined : formatBytes(bytes))],
    ['activations', ({ activationBytes }) => formatBytes(activationBytes)],
    ['read', ({ readBytes }) => formatBytes(readBytes)],
    ['written', ({ writeBytes }) => formatBytes(writeBytes)],
    ['compute', ({ coreSeconds }) => figure('seconds', coreSeconds)],
    ['load', ({ times }) => figure('milliseconds', times?.loadMs)],
    ['warm', ({ times }) => figure('milliseconds', times?.warmMs)],
    ['cold', ({ times }) => figure('milliseconds', times?.coldMs)],
  ];

function sliceTable(slices: readonly ReportedSlice[]): string {
  const columns = SLICE_COLUMNS.filter(([, cell]) => slices.some((slice) => cell(slice) !== undefined));
  return formatTable(
    columns.map(([head]) => head),
    slices.map((slice) => columns.map(([, cell]) => cell(slice) ?? NONE)),
  );
}

function runLines(run: NonNullable<PlanReport['run']>): string[] {
  const rows = (['warm', 'mixed', 'cold'] as const).map((temperature) => [
    temperature,
    ...runCells(run[temperature]),
  ]);
  return [formatTable(['run', ...RUN_HEAD], rows)];
}

const RUN_HEAD = ['a million', 'p50', 'p95'];

function runCells(run: ReportedRun | undefined): Cell[] {
  return [
    figure('dollars', run?.dollarsPerMillion),
    figure('milliseconds', run?.p50),
    figure('milliseconds', run?.p95),
  ].map((cell) => cell ?? NONE);
}

function serviceLines(
  alternatives: readonly Alternative[],
  cheapest: NonNullable<PlanReport['cheapest']>,
): string[] {
  const possible = alternatives.filter(({ isFeasible }) => isFeasible);
  const head = [
    'service',
    ...RUN_HEAD.map((name) => `warm: ${name}`),
    ...RUN_HEAD.map((name) => `cold: ${name}`),
  ];
  const rows = possible.map(({ service, warm, cold }) => [
    shown(service),
    ...runCells(warm),
    ...runCells(cold),
  ]);
  return [
    formatTable(head, rows),
    ...cheapest.map(
      ({ from, service }) => `cheapest from ${figure('count', from)} requests per hour on: ${shown(service)}`,
    ),
    ...alternatives
      .filter(({ isFeasible }) => !isFeasible)
      .map(({ service, breaks }) => `${shown(service)} cannot run it: ${breaks.map(shown).join(' ')}`),
  ];
}

function figure(kind: QuantityKind, value: number | undefined): string | undefined {
  return value === undefined ? undefined : figureText(quantity(kind, value));
}

/** Sentences and names may hold names of the model. */
function shown(text: string): string {
  return printable(text, 500);
}
