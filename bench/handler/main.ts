/**
 * `npm run bench:handler`: measures what a function's processor does besides the runs of ONNX Runtime, in the local cloud, over TLS: a call,
 * a request to S3, a MB of tensors, and for each MB of files the load, the session, prepacking and the first run. These are constants of
 * `environment.json`. The last line says how long this machine takes beside the core of `lambda-class-x86.tsv`.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Command } from 'commander';
import { processorClass } from '../../lambda/telemetry/processor';
import { type Deployment, deploy } from '../deployment';
import { describeMachine, folderOption, inOwnFolder, numberOption, print } from '../harness';
import { type BenchModel, writeTransformer } from '../inputs';
import { formatSpread, formatTable, run } from '../measure';
import type { Job, Measured, Mode } from '../prepacking/job';
import { sliceModel, synthesize } from '../synthesize';
import { writeEncoder } from '../times/encoder';
import { machineRatio } from '../times/machine-ratio';
import { writeOperator } from '../times/operators';
import { functionsMs } from './processor-time';

interface Options {
  readonly rounds: number;
  readonly calls: number;
  readonly folder: string;
}

/** Two slices that hardly compute. */
const SMALL = { name: 'small', layers: 2, hidden: 64, vocabulary: 100 };

/** MB of a tensor that is read and written. */
const TENSOR_MB = 64;
const WARM_RUNS = 5;

async function main(folder: string, { rounds, calls }: Options): Promise<void> {
  print(
    `${describeMachine()}, ${processorClass()}; medians of ${rounds} rounds (lowest-highest), processor time`,
  );
  const all = Array.from({ length: rounds }, (_, round) => round);
  const parts = await partsOf(folder, rounds, calls);
  const rows = parts.map(([name, unit, of]) => [name, unit, formatSpread(all.map(of), 2)]);
  print(formatTable(['part', 'unit', 'this machine'], rows));
  print(`this machine takes ${(await machineRatio(folder)).toFixed(2)} of the time of lambda-class-x86.tsv`);
}

type Part = readonly [name: string, unit: string, of: (round: number) => number];

async function partsOf(folder: string, rounds: number, calls: number): Promise<Part[]> {
  const operator = (name: string, elements: number): BenchModel => {
    const file = path.join(folder, `${name}.onnx`);
    writeOperator(file, 'Relu', String(elements));
    return { name, file, dimensions: {} };
  };
  const large = writeTransformer(path.join(folder, 'transformer'), '0.26', 768);
  const megabytes = fs.statSync(path.join(folder, 'transformer', 'model.weights')).size / 1e6;
  const small = { ...writeEncoder(folder, SMALL), dimensions: { tokens: 4 } };
  const tiny = await callsOf(folder, operator('tiny', 1000), rounds, calls);
  const alone = await callsOf(folder, small, rounds, calls, { slices: 2 });
  const warmed = await callsOf(folder, small, rounds, calls, { slices: 2, warmUp: true });
  const tensor = await callsOf(folder, operator('tensor', (TENSOR_MB * 1e6) / 4), rounds, WARM_RUNS);
  const transformer = await callsOf(folder, large, rounds, WARM_RUNS);
  const sessions = tiny.map(() => ({
    plain: sessionOf(folder, large, 'not packed'),
    packed: sessionOf(folder, large, 'packed'),
  }));
  return [
    ['start of a function, and its first call', 'ms', (round) => tiny[round].coldMs],
    ['a warm call with a GET and a PUT', 'ms', (round) => tiny[round].warmMs],
    ['a call without requests: a warm-up', 'ms', (round) => warmed[round].warmMs - alone[round].warmMs],
    [
      'reading or writing tensors',
      'ms/MB',
      (round) => (tensor[round].warmMs - tiny[round].warmMs) / (2 * TENSOR_MB),
    ],
    [
      'receiving, checking and storing files',
      'ms/MB',
      (round) => {
        const { loadMs, firstMs } = sessions[round].packed;
        return (transformer[round].coldMs - tiny[round].coldMs - loadMs - firstMs) / megabytes;
      },
    ],
    [`session for ${megabytes.toFixed(0)} MB`, 'ms', (round) => sessions[round].plain.loadMs],
    [
      'prepacking',
      'ms/MB',
      (round) => (sessions[round].packed.loadMs - sessions[round].plain.loadMs) / megabytes,
    ],
    [
      'first run without prepacking',
      'ms/MB',
      (round) => (sessions[round].plain.firstMs - sessions[round].plain.warmMs) / megabytes,
    ],
  ];
}

interface Calls {
  /** Of the first run of new functions. */
  readonly coldMs: number;
  /** Mean of the runs after it. */
  readonly warmMs: number;
}

async function callsOf(
  folder: string,
  model: BenchModel,
  rounds: number,
  calls: number,
  { slices: count = 1, warmUp = false }: { readonly slices?: number; readonly warmUp?: boolean } = {},
): Promise<Calls[]> {
  const own = fs.mkdtempSync(path.join(folder, `${model.name}-`));
  const [slices, outdir] = ['slices', 'assembly'].map((name) => path.join(own, name));
  sliceModel(model, count, slices);
  synthesize({ outdir, slices, warmUp });
  const deployment = await deploy(model, outdir);
  try {
    const measured: Calls[] = [];
    for (let round = 0; round < rounds; round++) measured.push(await callsOfRound(deployment, calls));
    return measured;
  } finally {
    await deployment.close();
  }
}

async function callsOfRound(deployment: Deployment, calls: number): Promise<Calls> {
  await deployment.makeCold();
  const before = functionsMs();
  await deployment.run();
  const cold = functionsMs();
  for (let call = 0; call < calls; call++) await deployment.run();
  return { coldMs: cold - before, warmMs: (functionsMs() - cold) / calls };
}

/** See `bench:prepacking`. */
function sessionOf(folder: string, model: BenchModel, mode: Mode): Measured {
  const out = path.join(folder, 'session.json');
  const job: Job = { model, mode, runs: WARM_RUNS };
  run(process.execPath, [path.join(__dirname, '../prepacking/child.js'), JSON.stringify(job), out]);
  return JSON.parse(fs.readFileSync(out, 'utf8')) as Measured;
}

new Command('bench:handler')
  .description('Measures what functions compute besides models. Needs 2 GB of memory or disk, and a minute.')
  .addOption(numberOption('--rounds <n>', 'number of rounds', 3))
  .addOption(numberOption('--calls <n>', 'warm calls of a round', 100))
  .addOption(folderOption())
  .action((options: Options) => inOwnFolder(options.folder, 'bench-handler', (own) => main(own, options)))
  .parse();
