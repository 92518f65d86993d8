/**
 * `npm run bench:times`: compares the times that plans count with those of a core of the class of Lambda's x86_64 processors
 * (`lambda-class-x86.tsv`, `reference-models.ts`). Processor time of one thread in milliseconds. `--measure` measures the operators on this
 * machine too, and prints how long it takes beside that core.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Command } from 'commander';
import { processorClass } from '../../lambda/telemetry/processor';
import { analyzeModel } from '../../lib/compile/analyze';
import { describeMachine, folderOption, inOwnFolder, numberOption, print } from '../harness';
import { formatTable } from '../measure';
import { kernelMs } from './kernel-time';
import { writeOperator } from './operators';
import { corpusModels, largeTransformer, referenceModels } from './reference-models';
import { type Row, tableRows } from './table';

interface Options {
  readonly measure: boolean;
  readonly runs: number;
  readonly corpus?: string;
  readonly folder: string;
}

interface Compared extends Row {
  readonly plannedMs: number;
  readonly hereMs?: number;
}

/** How far a row may be off. */
const [LEAST, MOST] = [0.67, 1.5];
const WORST = 12;

async function main(folder: string, { measure, runs, corpus }: Options): Promise<void> {
  print(`${describeMachine()}, ${processorClass()}`);
  const rows: Compared[] = [];
  for (const [index, row] of tableRows().entries()) {
    const file = path.join(folder, `${index}.onnx`);
    writeOperator(file, row.operator, row.shape);
    const plannedMs = plannedMsOf(file, {}, row.prepacking);
    rows.push({ ...row, plannedMs, ...(measure && { hereMs: await kernelMs(file, row.prepacking, runs) }) });
    fs.rmSync(file);
  }
  printOperators(rows);
  const models = [
    ...referenceModels(folder),
    largeTransformer(folder),
    ...(corpus === undefined ? [] : corpusModels(corpus)),
  ].map(({ name, file, dimensions, prepacking, referenceMs }) => {
    const planned = plannedMsOf(file, dimensions, prepacking);
    const sizes = Object.entries(dimensions).map(([dimension, size]) => `${dimension}=${size}`);
    const how = prepacking ? 'packed' : 'not packed';
    return [
      `${name} ${sizes.join(' ')}`,
      how,
      referenceMs,
      planned.toFixed(1),
      (planned / referenceMs).toFixed(2),
    ];
  });
  print(formatTable(['model', 'weights', 'measured ms', 'planned ms', 'ratio'], models));
}

/** Of the whole model, without its outputs and the call. */
function plannedMsOf(
  file: string,
  dimensions: Readonly<Record<string, number>>,
  prepacking: boolean,
): number {
  const { cuts } = analyzeModel(file, { dimensions, costs: { prepacking } });
  return 1000 * cuts.costs.work.reduce((sum, seconds) => sum + seconds, 0);
}

function printOperators(rows: readonly Compared[]): void {
  const ratioOf = ({ plannedMs, referenceMs }: Compared): number => plannedMs / referenceMs;
  const isGood = (row: Compared): boolean => ratioOf(row) >= LEAST && ratioOf(row) <= MOST;
  const names = [...new Set(rows.map(({ operator }) => operator))];
  const lines = names.map((name) => {
    const own = rows.filter(({ operator }) => operator === name);
    const here = own.flatMap(({ hereMs, referenceMs }) =>
      hereMs === undefined ? [] : [hereMs / referenceMs],
    );
    return [
      ...[name, own.length, own.filter(isGood).length],
      ...[geometricMean(own.map(ratioOf)), Math.min(...own.map(ratioOf)), Math.max(...own.map(ratioOf))].map(
        (ratio) => ratio.toFixed(2),
      ),
      here.length > 0 ? geometricMean(here).toFixed(2) : '',
    ];
  });
  const head = [
    'operator',
    'rows',
    `${LEAST} to ${MOST}`,
    'planned / measured',
    'least',
    'most',
    'here / measured',
  ];
  print(formatTable(head, lines));
  const good = rows.filter(isGood).length;
  print(
    `${good} of ${rows.length} rows (${((100 * good) / rows.length).toFixed(0)} %) within ${LEAST} to ${MOST}; the worst:`,
  );
  const offBy = (row: Compared): number => Math.abs(Math.log(ratioOf(row)));
  const worst = [...rows].sort((a, b) => offBy(b) - offBy(a)).slice(0, WORST);
  print(
    formatTable(
      ['operator', 'shape', 'weights', 'measured ms', 'planned ms', 'ratio'],
      worst.map((row) => [
        ...[row.operator, row.shape, row.prepacking ? 'packed' : 'not packed'],
        ...[row.referenceMs.toFixed(4), row.plannedMs.toFixed(4), ratioOf(row).toFixed(2)],
      ]),
    ),
  );
  const all = rows.flatMap(({ hereMs, referenceMs }) => (hereMs === undefined ? [] : [hereMs / referenceMs]));
  if (all.length > 0)
    print(`this machine takes ${geometricMean(all).toFixed(2)} of the table's time (geometric mean)`);
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

new Command('bench:times')
  .description('Compares planned times with measured ones. Needs 1.3 GB of memory or disk, and two minutes.')
  .option('--measure', 'also measure the operators on this machine', false)
  .option('--corpus <folder>', 'also compare models of this folder, such as minilm_l6_int8')
  .addOption(numberOption('--runs <n>', 'runs of an operator on this machine', 20))
  .addOption(folderOption())
  .action((options: Options) => inOwnFolder(options.folder, 'bench-times', (own) => main(own, options)))
  .parse();
