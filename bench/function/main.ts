/**
 * `npm run bench:function`: a function of a whole model in the local cloud, over TLS, beside a pipeline of one slice and beside a bare Lambda
 * handler around a default session of ONNX Runtime, which the local Lambda serves too: times of warm calls, bits, and peaks of memory. Then
 * the loads of a larger model. Other models can be named: `npm run bench:function -- MODELS... --dimension batch=1`.
 */
import * as path from 'node:path';
import { Command } from 'commander';
import { processorClass } from '../../lambda/telemetry/processor';
import { MEMORY_MB_PER_VCPU } from '../../lib/plan/sizes/lambda-quotas';
import { describeMachine, dimensionOption, folderOption, inOwnFolder, numberOption, print } from '../harness';
import { parseModel } from '../../lib/onnx/parse';
import { symbolicDimensions } from '../../lib/shapes/value-types';
import { type BenchModel, writeTransformer } from '../inputs';
import { formatSpread, formatTable } from '../measure';
import { writeOperator } from '../times/operators';
import { coldRows } from './cold';
import { compare, type Compared } from './compare';

interface Options {
  readonly dimension: Readonly<Record<string, number>>;
  readonly calls: number;
  readonly rounds: number;
  readonly folder: string;
}

/** A float32 tensor of 1 MB. */
const ELEMENTS = '250000';

async function main(folder: string, files: readonly string[], options: Options): Promise<void> {
  const { rounds, calls, dimension: dimensions } = options;
  print(`${describeMachine()}, ${processorClass()}; MB = 10^6 bytes, but of functions 2^20`);
  print(`medians of ${rounds} rounds (lowest-highest) of ${calls} calls each way in turn, in new sandboxes`);
  print('the function and the pipeline round the time of a run to 0.1 ms: ratios of short runs are coarse');
  const models =
    files.length === 0 ? ownModels(folder) : files.map((file) => modelOf(path.resolve(file), dimensions));
  const compared: { readonly name: string; readonly of: Compared }[] = [];
  for (const model of models) {
    const of = await compareOrSay(folder, model, options);
    if (of !== undefined) compared.push({ name: model.name, of });
  }
  print(
    formatTable(
      TIME_COLUMNS,
      compared.map(({ name, of }) => timeRow(name, of)),
    ),
  );
  print(
    formatTable(
      BEYOND_COLUMNS,
      compared.map(({ name, of }) => beyondRow(name, of)),
    ),
  );
  print(
    formatTable(
      MEMORY_COLUMNS,
      compared.map(({ name, of }) => memoryRow(name, of)),
    ),
  );
  if (files.length > 0) return;
  const large = writeTransformer(path.join(folder, 'large'), '0.3', 768);
  const sizes = [MEMORY_MB_PER_VCPU, 2 * MEMORY_MB_PER_VCPU];
  print(formatTable(COLD_COLUMNS, await coldRows(folder, large, sizes, rounds)));
}

function ownModels(folder: string): BenchModel[] {
  const file = path.join(folder, 'operator.onnx');
  writeOperator(file, 'Relu', ELEMENTS);
  const operator = { name: '1 MB in and out', file, dimensions: {} };
  return [writeTransformer(path.join(folder, 'transformer'), '0.1', 768), operator];
}

/** Each model takes of the sizes those of its own dimensions. */
function modelOf(file: string, sizes: Options['dimension']): BenchModel {
  const own = symbolicDimensions(parseModel(file).graph);
  const dimensions = Object.fromEntries(Object.entries(sizes).filter(([name]) => own.includes(name)));
  // Many files are called `model.onnx`.
  return { name: path.join(path.basename(path.dirname(file)), path.basename(file)), file, dimensions };
}

/** One model that cannot be compared does not end the benchmark. */
async function compareOrSay(
  folder: string,
  model: BenchModel,
  options: Options,
): Promise<Compared | undefined> {
  try {
    return await compare(folder, model, options);
  } catch (error) {
    const { message } = error as Error;
    print(`${model.name}: ${/^\w*Error: .*$/m.exec(message)?.[0] ?? message.trim()}`);
    return undefined;
  }
}

type Round = Compared['rounds'][number];

const spread = ({ rounds }: Compared, of: (round: Round) => number, digits: number): string =>
  formatSpread(rounds.map(of), digits);

const TIME_COLUMNS = [
  ...['model', 'threads', 'function: run ms', 'pipeline', 'bare', 'function / bare'],
  ...['bits: function', 'pipeline', 'bare'],
];

function timeRow(name: string, of: Compared): string[] {
  return [
    ...[name, String(of.threads)],
    spread(of, (round) => round.function.runMs, 2),
    spread(of, (round) => round.pipeline.runMs, 2),
    spread(of, (round) => round.bare.runMs, 2),
    spread(of, (round) => round.function.runMs / round.bare.runMs, 3),
    ...[of.difference.function, of.difference.pipeline, of.difference.bare].map((difference) =>
      difference === 0 ? 'same' : `off by ${difference.toPrecision(2)}`,
    ),
  ];
}

const BEYOND_COLUMNS = [
  ...['model', 'function: call ms', 'pipeline', 'bare', 'function beyond run', 'bare', 'more'],
  ...['reads', 'writes'],
];

const beyond = ({ ms, runMs }: Round['bare']): number => ms - runMs;

function beyondRow(name: string, of: Compared): string[] {
  return [
    name,
    spread(of, (round) => round.function.ms, 2),
    spread(of, (round) => round.pipeline.ms, 2),
    spread(of, (round) => round.bare.ms, 2),
    spread(of, (round) => beyond(round.function), 2),
    spread(of, (round) => beyond(round.bare), 2),
    spread(of, (round) => beyond(round.function) - beyond(round.bare), 2),
    ...[of.readMs, of.writeMs].map((ms) => ms.toFixed(1)),
  ];
}

const MEMORY_COLUMNS = [
  ...['model', 'planned MB', 'function: first call', 'to planned', 'all calls'],
  ...['pipeline: all calls', 'bare: all calls', 'memorySize'],
];

function memoryRow(name: string, of: Compared): string[] {
  const { plannedBytes, firstPeakBytes, peakBytes, memoryMb } = of;
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  const first = [megabytes(firstPeakBytes), (firstPeakBytes / plannedBytes).toFixed(2)];
  const all = [peakBytes.function, peakBytes.pipeline, peakBytes.bare].map(megabytes);
  return [name, megabytes(plannedBytes), ...first, ...all, String(memoryMb)];
}

const COLD_COLUMNS = [
  'memorySize',
  'MB',
  'load ms',
  'MB/s',
  'reading alone ms',
  'MB/s',
  'bare: first call ms',
];

new Command('bench:function')
  .description('Compares a function of a whole model with a pipeline and a bare handler. Takes some minutes.')
  .argument('[models...]', 'paths of ONNX models, instead of the models of the benchmark')
  .addOption(dimensionOption())
  .addOption(numberOption('--calls <n>', 'measured calls each way in a round', 20))
  .addOption(numberOption('--rounds <n>', 'number of rounds', 5))
  .addOption(folderOption())
  .action((files: string[], options: Options) =>
    inOwnFolder(options.folder, 'bench-function', (own) => main(own, files, options)),
  )
  .parse();
