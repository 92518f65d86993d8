/**
 * `npm run bench:model`: how far the model of cost is from runs of the local cloud with simulated delays. Each round measures
 * how much other programs slow this machine down, and predicts and measures a cold and a warm run.
 */
import * as path from 'node:path';
import { Command } from 'commander';
import { SIMULATIONS } from '../../local';
import { describeMachine, folderOption, inOwnFolder, numberOption, print } from '../harness';
import { ocrModel } from '../inputs';
import { formatSpread, formatTable, spread } from '../measure';
import { writeConvolutions } from '../models/convolutions';
import { writeTransformer } from '../models/transformer';
import { type CaseResult, measureCase, type RunModel } from './measure-case';
import { machineOf } from './machine';
import type { FullSimulation } from './simulated-environment';

interface Options {
  readonly rounds: number;
  readonly megabytes: number;
  readonly folder: string;
  readonly keep?: boolean;
  readonly models?: readonly string[];
}

/** The delays that `--simulate aws` adds. Its network is faster than the processors of this machine, which would decide alone. */
const AWS = SIMULATIONS.aws as FullSimulation;

/** The share by which predictions may be off. */
const TARGET = 0.15;

async function main(folder: string, { rounds, megabytes, models: wanted, keep }: Options): Promise<void> {
  const bytesPerSecond = megabytes * 1e6;
  const simulation: FullSimulation = {
    ...AWS,
    network: { connectionBytesPerSecond: bytesPerSecond, functionBytesPerSecond: bytesPerSecond },
  };
  const machine = await machineOf(folder, simulation);
  print(`${describeMachine()}; a function starts in ${machine.initMs.toFixed(0)} ms of processor time`);
  print(
    `simulated as --simulate aws, but with ${megabytes} MB/s for each function, which two processors can serve\n`,
  );
  const results: CaseResult[] = [];
  const models = runModels(folder).filter(
    ({ name }) => wanted === undefined || wanted.some((part) => name.includes(part)),
  );
  for (const [index, model] of models.entries()) {
    for (const warmUp of [true, false]) {
      const own = path.join(folder, `${index}-${String(warmUp)}`);
      const result = await measureCase(model, { folder: own, simulation, machine, rounds, warmUp });
      results.push(result);
      for (const temperature of ['cold', 'warm'] as const)
        process.stderr.write(`${result.name}, ${temperature}: ${rowOf(result, temperature).join('  ')}\n`);
    }
  }
  print(tables(results));
  print(`\n${summary(results)}`);
  if (keep) print(`logs, profiles and constants are in ${folder}`);
}

/** Generates some of the models in `folder`. */
function runModels(folder: string): RunModel[] {
  const [transformer, convolutions] = ['transformer', 'convolutions'].map((name) =>
    path.join(folder, `${name}.onnx`),
  );
  writeTransformer(transformer, { layers: 12, hidden: 768, heads: 12, vocabulary: 8192, sequence: 128 });
  writeConvolutions(convolutions, { layers: 32, channels: 256, size: 28 });
  return [
    { name: 'transformer, 367 MB', file: transformer, slices: 4, dimensions: {} },
    { name: 'transformer, 367 MB', file: transformer, slices: 8, dimensions: {} },
    { name: 'convolutions, 75 MB', file: convolutions, slices: 4, dimensions: {} },
    {
      ...ocrModel('OCR recognition, Standard', 'ch_PP-OCRv4_rec_infer.onnx', 320),
      ...{ slices: 3, stateMachineType: 'standard' },
    },
    { ...ocrModel('OCR detection', 'ch_PP-OCRv4_det_infer.onnx', 640, 640), slices: 2 },
  ];
}

function tables(results: readonly CaseResult[]): string {
  const table = (temperature: 'cold' | 'warm'): string =>
    formatTable(
      [`${temperature} runs`, 'seconds', 'described', 'calibrated', 'defaults of AWS', 'slowdown'],
      results.map((result) => [result.name, ...rowOf(result, temperature)]),
    );
  return `${table('cold')}\n${table('warm')}`;
}

function rowOf(result: CaseResult, temperature: 'cold' | 'warm'): string[] {
  const { seconds, described, calibrated, defaults } = result[temperature];
  return [
    ...[seconds, described, calibrated].map((values) => formatSpread(spread(values), 2)),
    spread(defaults).median.toFixed(2),
    formatSpread(spread(result.slowdowns), 1),
  ];
}

function summary(results: readonly CaseResult[]): string {
  const errors = (temperature: 'cold' | 'warm', by: 'described' | 'calibrated' | 'defaults'): number[] =>
    results.map((result) => Math.abs(spread(result[temperature][by]).median - 1));
  const line = (temperature: 'cold' | 'warm', by: 'described' | 'calibrated' | 'defaults'): string => {
    const all = errors(temperature, by);
    const within = all.filter((error) => error <= TARGET).length;
    return `${temperature}, ${by}: ${within} of ${all.length} pipelines within ${TARGET * 100} %, median error ${(spread(all).median * 100).toFixed(0)} %`;
  };
  return [
    'ratios are predicted / measured: medians of the runs (lowest-highest)',
    ...(['cold', 'warm'] as const).flatMap((temperature) =>
      (['described', 'calibrated', 'defaults'] as const).map((by) => line(temperature, by)),
    ),
  ].join('\n');
}

new Command('bench:model')
  .description('Compares predicted times of runs with those of the local cloud under simulated delays.')
  .addOption(numberOption('--rounds <n>', 'cold and warm runs of each pipeline', 5))
  .addOption(numberOption('--megabytes <n>', 'bandwidth of each function, in MB/s', 20))
  .addOption(folderOption())
  .option('--keep', 'keep the logs, the profiles and the calibrated constants')
  .option('--models <names...>', 'only models whose names contain one of these')
  .action((options: Options) =>
    inOwnFolder(options.folder, 'bench-model', (folder) => main(folder, options), options.keep),
  )
  .parse();
