/** The tables of the page. */
import { type Figure, type QuantityKind, TEMPERATURES, quantity, runFigure } from '../figures';
import type {
  LineItem,
  PlanReport,
  ReportedSlice,
  ServiceRun,
  SliceTimes,
  Temperature,
} from '../plan-report';

export interface Table {
  readonly caption: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly Figure[])[];
  /** Rows below the others: sums. */
  readonly foot?: readonly (readonly Figure[])[];
}

type Column<Row> = readonly [head: string, cell: (row: Row) => Figure];

function tableOf<Row>(caption: string, rows: readonly Row[], columns: readonly Column<Row>[]): Table {
  return {
    caption,
    head: columns.map(([head]) => head),
    rows: rows.map((row) => columns.map(([, cell]) => cell(row))),
  };
}

/** A column of quantities of one kind, with a dash for what is absent. */
function column<Row>(
  head: string,
  kind: QuantityKind,
  value: (row: Row) => number | null | undefined,
): Column<Row> {
  return [head, (row) => quantity(kind, value(row))];
}

function timeOf({ times }: ReportedSlice, name: keyof SliceTimes): Figure {
  const { fast, slow } = times.ends;
  return quantity('milliseconds', times[name], { fast: fast[name], slow: slow[name] });
}

export function sliceTable({ slices }: PlanReport): Table {
  return tableOf('The slices', slices, [
    column('slice', 'count', ({ slice }) => slice),
    column('nodes', 'count', ({ nodes }) => nodes),
    column('files', 'bytes', ({ fileBytes }) => fileBytes),
    column('weights', 'bytes', ({ weightBytes }) => weightBytes),
    column('activations', 'bytes', ({ activationBytes }) => activationBytes),
    column('reads', 'bytes', ({ readBytes }) => readBytes),
    column('writes', 'bytes', ({ writeBytes }) => writeBytes),
    ['to', ({ writesTo }) => writesTo],
    column('peak memory', 'bytes', ({ peakMemoryBytes }) => peakMemoryBytes),
    column('function', 'megabytes', ({ memoryMb }) => memoryMb),
    column('compute', 'seconds', ({ coreSeconds }) => coreSeconds),
    ['load', (slice) => timeOf(slice, 'loadMs')],
    ['warm', (slice) => timeOf(slice, 'warmMs')],
    ['cold', (slice) => timeOf(slice, 'coldMs')],
  ]);
}

export function cutTable({ cuts }: PlanReport): Table {
  const rows = cuts.flatMap((cut) => cut.tensors.map((tensor) => ({ cut, tensor })));
  return tableOf('The tensors that cross each cut', rows, [
    column('after slice', 'count', ({ cut }) => cut.slice),
    column('before node', 'count', ({ cut }) => cut.position),
    ['tensor', ({ tensor }) => tensor.name],
    [
      'type',
      ({ tensor: { dtype, shape } }) =>
        `${dtype}[${shape === null ? '...' : shape.map((size) => size ?? '?').join(', ')}]`,
    ],
    column('bytes', 'bytes', ({ tensor }) => tensor.bytes),
    column('all of the cut', 'bytes', ({ cut }) => cut.bytes),
  ]);
}

/** What a run costs and takes. Services that charge by the hour have no price of a run. */
function runColumns<Row>(
  runOf: (row: Row) => ServiceRun | undefined,
  [price, half, most]: readonly string[],
): Column<Row>[] {
  return [
    [price, (row) => runFigure(runOf(row), 'dollarsPerMillion')],
    [half, (row) => runFigure(runOf(row), 'p50')],
    [most, (row) => runFigure(runOf(row), 'p95')],
  ];
}

export function runTable(caption: string, run: PlanReport['run']): Table {
  const heads = ['a million runs', 'p50', 'p95'];
  return tableOf(caption, TEMPERATURES, [
    ['functions', (temperature) => temperature],
    ...runColumns<Temperature>((temperature) => run[temperature], heads),
  ]);
}

export function costTable(caption: string, items: readonly LineItem[], run: PlanReport['run']): Table {
  const total = TEMPERATURES.map((temperature) => quantity('dollars', run[temperature].dollarsPerMillion));
  return {
    ...tableOf(caption, items, [
      ['item', ({ item }) => item],
      ...TEMPERATURES.map((temperature) =>
        column<LineItem>(temperature, 'dollars', (item) => item[temperature]),
      ),
    ]),
    foot: [['all', ...total]],
  };
}

export function monthTable(costs: PlanReport['costPerMonth']): Table {
  return tableOf('The price of a month, without runs', costs, [
    ['item', ({ item }) => item],
    column('a month', 'dollars', ({ dollars }) => dollars),
  ]);
}

export function alternativeTable(alternatives: PlanReport['alternatives']): Table {
  const priced = alternatives.filter(({ isFeasible }) => isFeasible);
  const columnsOf = (temperature: 'warm' | 'cold') =>
    runColumns<(typeof priced)[number]>(
      ({ [temperature]: run }) => run,
      ['a million', 'p50', 'p95'].map((head) => `${temperature}: ${head}`),
    );
  return tableOf('This plan and other services', priced, [
    ['service', ({ service }) => service],
    ['size', ({ size }) => size],
    ['rests on', ({ guess }) => (guess === undefined ? 'prices and constants' : 'a guess')],
    [
      'a month',
      ({ dollarsPerMonth, dollarsPerMonthEnds: ends }) => quantity('dollars', dollarsPerMonth, ends),
    ],
    ...columnsOf('warm'),
    ...columnsOf('cold'),
  ]);
}

export function assumptionTable({ assumptions }: PlanReport): Table {
  return tableOf('What the estimates assume', assumptions, [
    ['assumption', ({ name }) => name],
    ['value', ({ value }) => value],
    ['unit', ({ unit }) => unit],
    ['known', ({ basis }) => basis],
    ['source', ({ source }) => source],
    ['date', ({ date }) => date],
  ]);
}
