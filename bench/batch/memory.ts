/**
 * `npm run bench:batch-memory`: the peak memory of the command `batch` and of the local cloud, each in a process of its own, for batches of
 * more and more small items. The command uploads a folder, waits and downloads the results.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Command } from 'commander';
import { encodeTensors, tensorFrom } from '../../client';
import { describeMachine, folderOption, inOwnFolder, positive, print } from '../harness';
import { formatTable } from '../measure';
import { ModelProto } from '../onnx-schema';
import { PROGRAM, sliceModel, synthesize, type BatchSubject } from '../synthesize';

const FLOAT = 1;
const ELEMENTS = 64;

/** What a user's machine has: two runs at once, each with hundreds of items. */
const BATCH: BatchSubject = { name: 'Batch', itemsPerRun: 200, concurrency: 2 };

/** A process that writes its peak of resident memory, in kilobytes, into PEAK_FILE when it ends. Its children do not. */
const MEASURED = [
  '--no-warnings',
  '--import',
  'data:text/javascript,import fs from "node:fs";process.on("exit",()=>fs.writeFileSync(process.env.PEAK_FILE,String(process.resourceUsage().maxRSS)))',
  PROGRAM,
];

interface Options {
  readonly folder: string;
  readonly items: readonly number[];
  readonly rounds: number;
}

async function main(folder: string, { items, rounds }: Options): Promise<void> {
  print(`${describeMachine()}; items of ${ELEMENTS} floats; least of ${rounds} rounds; MB = 10^6 bytes`);
  const assembly = path.join(folder, 'assembly');
  const slices = path.join(folder, 'slices');
  sliceModel({ name: 'Tanh', file: writeModel(folder), dimensions: {} }, 1, slices);
  synthesize({ outdir: assembly, slices, batches: [BATCH] });
  const peaks: number[][] = [];
  for (const count of items) {
    const all: number[][] = [];
    for (let round = 0; round < rounds; round++)
      all.push(await peaksOf(fs.mkdtempSync(path.join(folder, 'batch-')), assembly, count));
    peaks.push([0, 1].map((program) => Math.min(...all.map((peak) => peak[program]))));
  }
  const ratio = (row: number, program: number): string =>
    (peaks[row][program] / peaks[0][program]).toFixed(2);
  const rows = items.map((count, row) => [
    count.toLocaleString('en-US'),
    ...[0, 1].flatMap((program) => [(peaks[row][program] / 1e6).toFixed(0), ratio(row, program)]),
  ]);
  print(formatTable(['items', 'command MB', 'ratio', 'local cloud MB', 'ratio'], rows));
}

/** In bytes, of the command and of the local cloud. */
async function peaksOf(folder: string, assembly: string, items: number): Promise<number[]> {
  const inputs = path.join(folder, 'inputs');
  fs.mkdirSync(inputs);
  for (let item = 0; item < items; item++) {
    const data = Float32Array.from({ length: ELEMENTS }, (_, at) => Math.sin(item + at));
    const tensors = new Map([['x', tensorFrom('float32', [1, ELEMENTS], data)]]);
    fs.writeFileSync(path.join(inputs, `${item}.safetensors`), encodeTensors(tensors));
  }
  const [ofCommand, ofCloud] = ['command', 'cloud'].map((name) => path.join(folder, name));
  const flags = ['local', assembly, '--pipeline', BATCH.name, '--json'];
  const cloud = spawn(process.execPath, [...MEASURED, ...flags], {
    env: { ...process.env, PEAK_FILE: ofCloud },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(cloud, 'exit');
  try {
    const { stateMachineArn, environment } = await readyCloud(cloud);
    const results = path.join(folder, 'results');
    const batch = ['batch', stateMachineArn, '--inputs', inputs, '--out', results, '--json'];
    execFileSync(process.execPath, [...MEASURED, ...batch], {
      env: { ...process.env, ...environment, PEAK_FILE: ofCommand },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  } finally {
    cloud.kill('SIGTERM');
    await ended;
  }
  return [ofCommand, ofCloud].map((file) => 1024 * Number(fs.readFileSync(file, 'utf8')));
}

interface Served {
  readonly stateMachineArn: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** What `local --json` prints when it is ready. */
async function readyCloud({ stdout }: ChildProcess): Promise<Served> {
  let printed = '';
  for await (const chunk of stdout ?? []) {
    printed += String(chunk);
    if (printed.endsWith('\n}\n')) return JSON.parse(printed) as Served;
  }
  throw new Error('the local cloud ended before it was ready');
}

function writeModel(folder: string): string {
  const shape = { dim: [{ dimValue: 1 }, { dimValue: ELEMENTS }] };
  const value = (name: string) => ({ name, type: { tensorType: { elemType: FLOAT, shape } } });
  const node = [{ opType: 'Tanh', input: ['x'], output: ['y'] }];
  const graph = { name: 'graph', node, input: [value('x')], output: [value('y')] };
  const model = { irVersion: 9, opsetImport: [{ domain: '', version: 17 }], graph };
  const file = path.join(folder, 'model.onnx');
  fs.writeFileSync(file, ModelProto.encode(ModelProto.fromObject(model)).finish());
  return file;
}

new Command('bench:batch-memory')
  .description('Measures the peak memory of batches. Takes some minutes.')
  .option('--items <n,...>', 'items of the batches', (text) => text.split(',').map(positive), [1000, 10_000])
  .option('--rounds <n>', 'rounds of each', positive, 2)
  .addOption(folderOption())
  .action((options: Options) =>
    inOwnFolder(options.folder, 'bench-batch-memory', (folder) => main(folder, options)),
  )
  .parse();
