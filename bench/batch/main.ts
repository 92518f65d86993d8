/**
 * `npm run bench:batch`: runs batches of text lines, or of a model of your own, in the local cloud: their throughput beside what the same
 * functions compute, and their processor time beside a loop over ONNX Runtime, by items in a run, and the predicted time of one beside the
 * measured one.
 */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Command } from 'commander';
import { encodeInlineTensor, encodeTensors, type RawTensor } from '../../client';
import { encodeShortest } from '../../lambda/request/inline-tensor';
import { Session } from '../../lambda/slice/session';
import type { BatchOutput, BatchRow } from '../../contract/batch';
import type { PipelineSignature } from '../../contract/signature';
import { batchEstimate } from '../../lib/cost/batch';
import { LocalCloud } from '../../local';
import { functionsMs } from '../handler/processor-time';
import { describeMachine, folderOption, inOwnFolder, numberOption, print, ROOT } from '../harness';
import { type BenchModel, inputsOf, ocrModel } from '../inputs';
import { formatSpread, formatTable } from '../measure';
import { sliceModel, synthesize, type BatchSubject } from '../synthesize';

interface Options {
  readonly model?: string;
  readonly rounds: number;
  readonly items: number;
  readonly predict: number;
  readonly width: number;
  readonly folder: string;
  readonly ray?: string;
  readonly lines?: boolean;
}

/** A line of text, 48 pixels high. */
const modelOf = (width: number) => ocrModel('recognition', 'ch_PP-OCRv4_rec_infer.onnx', width);
const SLICES = 4;

interface Measured {
  readonly ms: number;
  /** Of the local cloud and its functions, for the batch alone. */
  readonly processorMs: number;
  readonly output: BatchOutput;
  readonly rows: readonly BatchRow[];
}

class Batches {
  private puts = 0;
  /** Of each item. */
  inputs: ReadonlyMap<string, RawTensor> = new Map();

  constructor(
    private readonly assembly: string,
    private readonly model: BenchModel,
  ) {}

  /** Runs a batch on new items. A first one, which is not measured, warms up the functions. */
  async run(batch: BatchSubject, items: readonly number[], isSimulated = false): Promise<Measured[]> {
    const cloud = await LocalCloud.start(this.assembly, {
      pipeline: batch.name,
      ...(isSimulated && { simulation: 'aws' }),
    });
    try {
      const measured: Measured[] = [];
      for (const count of items) measured.push(await this.once(cloud, count, batch.areLines));
      return measured;
    } finally {
      await cloud.close();
    }
  }

  private async once(cloud: LocalCloud, count: number, areLines = false): Promise<Measured> {
    const { inputs } = cloud.pipeline.signature as unknown as PipelineSignature;
    this.inputs = inputsOf(this.model, inputs);
    const items = await this.put(cloud, count, areLines);
    const [start, before] = [performance.now(), processorMs()];
    const result = await cloud.execute({ items });
    const ms = performance.now() - start;
    const spentMs = processorMs() - before;
    if (result.status !== 'SUCCEEDED') throw new Error(`${result.error}: ${result.cause}`);
    const output = result.output as unknown as BatchOutput;
    if (output.items.done !== count)
      throw new Error(`not all items are done: ${JSON.stringify(output.items)}`);
    const table = (await cloud.getObject(output.table.key)).toString('utf8').trimEnd();
    return {
      ms,
      processorMs: spentMs,
      output,
      rows: table.split('\n').map((line) => JSON.parse(line) as BatchRow),
    };
  }

  /** @returns the folder of the requests, or the key of their list */
  private async put(cloud: LocalCloud, count: number, areLines: boolean): Promise<string> {
    const folder = `inputs/bench/${this.puts++}/`;
    if (areLines) {
      const tensors = [...this.inputs].map(([name, tensor]) => [name, encodeShortest(tensor)]);
      const inputs = { tensors: Object.fromEntries(tensors) as object };
      const lines = Array.from({ length: count }, (_, id) =>
        JSON.stringify({ id: `${folder}${id}`, inputs }),
      );
      await cloud.putObject(`${folder}list`, Buffer.from(lines.join('\n')));
      return `${folder}list`;
    }
    const request = encodeTensors(this.inputs);
    for (let item = 0; item < count; item++) await cloud.putObject(`${folder}${item}`, request);
    return folder;
  }
}

/** Of this process, which is the local cloud, and of its functions. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000 + functionsMs();
}

/** Milliseconds of processor time of a run of the whole model with one thread, in this process. */
async function loopMs(
  { file }: BenchModel,
  inputs: ReadonlyMap<string, RawTensor>,
  items: number,
): Promise<number> {
  const session = await Session.open({ path: file, threads: 1, graphOptimizationLevel: 'extended' });
  await session.run(inputs, session.outputNames);
  const before = process.cpuUsage();
  for (let item = 0; item < items; item++) await session.run(inputs, session.outputNames);
  const { user, system } = process.cpuUsage(before);
  await session.release();
  return (user + system) / 1000 / items;
}

/**
 * The processor time of an item with Ray Data, with its start and without, in milliseconds.
 * @param python an interpreter with `ray[data]` and `onnxruntime`
 */
function rayMs(
  python: string,
  { file }: BenchModel,
  { inputs, items, folder }: { inputs: ReadonlyMap<string, RawTensor>; items: number; folder: string },
): { readonly all: number; readonly besidesStart: number } {
  const json = path.join(folder, 'inputs.json');
  const encoded = [...inputs].map(([name, tensor]) => [name, encodeInlineTensor(tensor)]);
  fs.writeFileSync(json, JSON.stringify(Object.fromEntries(encoded)));
  const script = path.join(ROOT, 'bench/batch/ray_data.py');
  const of = (count: number) =>
    Number(execFileSync(python, [script, file, json, `${count}`], { stdio: 'pipe' }));
  const [one, all] = [of(1), of(items)];
  return { all: all / items, besidesStart: (all - one) / (items - 1) };
}

/** Each run has a function to itself, as on Lambda, and the local cloud the other processor. */
const concurrency = 1;

async function main(folder: string, options: Options): Promise<void> {
  const { rounds, items, predict, width, model: file, ray, lines } = options;
  print(`${describeMachine()}; medians of ${rounds} rounds (lowest-highest), ${concurrency} runs at once`);
  const outdir = path.join(folder, 'assembly');
  const batches: BatchSubject[] = [1, 8, 32, 200].map((itemsPerRun) => ({
    ...{ name: `By${itemsPerRun}`, itemsPerRun, concurrency, areLines: lines },
  }));
  const model = file === undefined ? modelOf(width) : { name: 'model', file, dimensions: {} };
  const slices = path.join(folder, 'slices');
  const memoryMb = sliceModel(model, file === undefined ? SLICES : 1, slices).slices.map(
    (slice) => slice.memoryMb,
  );
  synthesize({ outdir, slices, batches });
  const runner = new Batches(outdir, model);
  const counts = Array.from({ length: rounds }, () => items);
  const measured: Measured[][] = [];
  for (const batch of batches) {
    const [, ...warm] = await runner.run(batch, [concurrency * 8, ...counts]);
    measured.push(warm);
  }
  const loop = await loopMs(model, runner.inputs, items);
  const rows = batches.map(({ name }, index) => {
    const runs = measured[index];
    const perSecond = runs.map(({ ms }) => (1000 * items) / ms);
    const shares = runs.map((run) => computed(run, memoryMb) / (concurrency * run.ms));
    const speeds = runs.map(({ ms }, round) => measured[0][round].ms / ms);
    const spent = runs.map((run) => run.processorMs / items);
    return [
      ...[name, formatSpread(perSecond, 2), formatSpread(shares, 3), formatSpread(speeds, 2)],
      ...[
        formatSpread(spent, 3),
        formatSpread(
          spent.map((own) => own / loop),
          2,
        ),
      ],
    ];
  });
  const columns = ['batch', 'items/s', 'share of the time that functions compute', 'speed, to By1'];
  print(formatTable([...columns, 'processor ms an item', 'to a loop'], rows));
  print(`a loop over ONNX Runtime in one process takes ${loop.toPrecision(3)} ms of processor time an item`);
  if (ray !== undefined) {
    const { all, besidesStart } = rayMs(ray, model, { inputs: runner.inputs, items, folder });
    const [withStart, without] = [all, besidesStart].map((ms) => ms.toPrecision(3));
    print(`Ray Data takes ${withStart} ms an item with its start, ${without} ms without`);
  }
  if (predict > 0) print(await predicted(runner, batches[1], predict));
}

/** Milliseconds that the pipeline's functions took, by their own clocks: all of them have the memory of the plan. */
function computed({ output: { usage } }: Measured, memoryMb: readonly number[]): number {
  return usage.reduce((sum, { mbMs }, slice) => sum + mbMs / memoryMb[slice], 0);
}

/** The time of an item comes from a small batch, and all else from the cost model. */
async function predicted(runner: Batches, batch: BatchSubject, items: number): Promise<string> {
  const { itemsPerRun, concurrency } = batch;
  const [, sample, run] = await runner.run(batch, [16, 64, items], true);
  const itemMs = sample.rows.reduce((sum, { ms = 0 }) => sum + ms, 0) / sample.rows.length;
  const childMs = (concurrency * sample.ms) / (64 / itemsPerRun) - itemsPerRun * itemMs;
  const estimate = batchEstimate({ items, itemsPerRun, concurrency, itemMs, childMs, coldMs: 0, tableMs: 0 });
  const seconds = [estimate.milliseconds, run.ms].map((ms) => (ms / 1000).toFixed(1));
  return `${items} items with --simulate aws: predicted ${seconds[0]} s, took ${seconds[1]} s, ratio ${(estimate.milliseconds / run.ms).toFixed(2)}`;
}

new Command('bench:batch')
  .description('Measures batches. Takes some minutes.')
  .addOption(numberOption('--rounds <n>', 'number of rounds', 3))
  .addOption(numberOption('--items <n>', 'number of items of a batch', 96))
  .option('--predict <n>', 'items of the batch whose time is predicted; 0 for none', Number, 1000)
  .addOption(numberOption('--width <n>', 'pixels of a line of text', 640))
  .option('--model <file>', 'a model with fixed sizes, in one slice (default: text lines)')
  .option('--lines', 'requests in the lines of a list, instead of objects')
  .option('--ray <python>', 'also run Ray Data: a Python with ray[data] and onnxruntime')
  .addOption(folderOption())
  .action((options: Options) => inOwnFolder(options.folder, 'bench-batch', (folder) => main(folder, options)))
  .parse();
