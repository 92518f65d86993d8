/** Runs the slices of a plan as the functions run them, each many times; prints seconds by slice as JSON. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Session } from '../../lambda/slice/session';
import { decodeSafetensors } from '../../lambda/tensors/safetensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { readPlan } from '../../lib/compile/plan-file';
import { PLAN_FILE } from '../../lib/emit/write';
import type { SlicePlan } from '../../lib/plan/file/plan';
import { runChain } from '../../local/cloud/run-chain';
import { spread } from '../measure';
import { generatedInputs } from './generated-inputs';
import { PRODUCT_FLOPS, PRODUCT_SIZE } from './product-model';

export interface FreshJob {
  /** Folder of a written plan. */
  readonly folder: string;
  readonly dimensions: Readonly<Record<string, number>>;
  readonly runs: number;
  /** Path of the model of `productModel`. */
  readonly product: string;
  /** Safetensors file of inputs. By default, they are generated. */
  readonly inputs?: string;
}

export interface FreshAnswer {
  /** By slice: the medians of the runs, in seconds. */
  readonly slices: readonly FreshSlice[];
  /** Speed of the machine before and after the runs, as a profile measures it. */
  readonly flopsPerSecond: readonly number[];
}

export interface FreshSlice {
  readonly elapsed: number;
  /** Time of the processor: what the run takes on an idle machine. */
  readonly cpu: number;
}

/** So many runs of the slices are not counted at most: V8 compiles the code of a call in its first thousands. */
const WARM_UP_RUNS = 1000;
const WARM_UP_SECONDS = 0.5;

/** Runs last this long if more than `FreshJob.runs` are needed: short slices need many samples. */
const LEAST_SECONDS = 1.5;
const MOST_RUNS = 1000;

/** Runs of the matrix product that tells how fast the machine is. */
const PRODUCT_RUNS = 40;

type Tensors = ReadonlyMap<string, RawTensor>;

/** With the first inputs on which the model runs. */
async function main(job: FreshJob): Promise<FreshAnswer> {
  const plan = readPlan(path.join(job.folder, PLAN_FILE));
  if (job.inputs !== undefined) {
    return measureSlices(plan, decodeSafetensors(fs.readFileSync(job.inputs)), job);
  }
  let failure: unknown;
  for (const inputs of generatedInputs(plan.inputs, job.dimensions)) {
    try {
      return await measureSlices(plan, inputs, job);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

/** All slices run in turns, so that each finds the caches as the slice before it left them, which is how a model runs. */
async function measureSlices(plan: SlicePlan, inputs: Tensors, job: FreshJob): Promise<FreshAnswer> {
  const sessions = await Promise.all(
    plan.slices.map(({ model }) => Session.open({ path: path.join(job.folder, model.file), threads: 1 })),
  );
  const samples = plan.slices.map((): FreshSlice[] => []);
  const runAll = async (): Promise<number> => {
    const start = process.cpuUsage();
    await runChain(plan, inputs, async (slice, tensors) => {
      const names = plan.slices[slice].outputs.map(({ name }) => name);
      const { time, results } = await timed(() => sessions[slice].run(tensors, names));
      samples[slice].push(time);
      return results;
    });
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  };
  await repeat(runAll, { least: 2, most: WARM_UP_RUNS, seconds: WARM_UP_SECONDS });
  for (const own of samples) own.splice(0);
  const before = await speed(job.product);
  await repeat(runAll, { least: job.runs, most: MOST_RUNS, seconds: LEAST_SECONDS });
  const flopsPerSecond = [before, await speed(job.product)];
  for (const session of sessions) await session.release();
  const slices = samples.map((own) => ({
    elapsed: spread(own.map(({ elapsed }) => elapsed)).median,
    cpu: spread(own.map(({ cpu }) => cpu)).median,
  }));
  return { slices, flopsPerSecond };
}

/** Median speed of a product of two matrices. */
async function speed(product: string): Promise<number> {
  const session = await Session.open({ path: product, threads: 1 });
  const values = Float32Array.from({ length: PRODUCT_SIZE ** 2 }, (_, index) => (index % 7) / 7);
  const matrix: RawTensor = {
    dtype: 'float32',
    shape: [PRODUCT_SIZE, PRODUCT_SIZE],
    bytes: new Uint8Array(values.buffer),
  };
  const inputs = new Map([
    ['a', matrix],
    ['b', matrix],
  ]);
  const seconds: number[] = [];
  for (let run = 0; run <= PRODUCT_RUNS; run++) {
    seconds.push((await timed(() => session.run(inputs, ['y']))).time.cpu);
  }
  await session.release();
  return PRODUCT_FLOPS / spread(seconds.slice(1)).median;
}

/** @param work returns seconds */
async function repeat(
  work: () => Promise<number>,
  { least, most, seconds }: { readonly least: number; readonly most: number; readonly seconds: number },
): Promise<void> {
  let spent = 0;
  for (let done = 0; done < least || (done < most && spent < seconds); done++) spent += await work();
}

async function timed<T>(run: () => Promise<T>): Promise<{ time: FreshSlice; results: T }> {
  const start = process.hrtime.bigint();
  const before = process.cpuUsage();
  const results = await run();
  const { user, system } = process.cpuUsage(before);
  const elapsed = Number(process.hrtime.bigint() - start) / 1e9;
  return { time: { elapsed, cpu: (user + system) / 1e6 }, results };
}

void main(JSON.parse(process.argv[2]) as FreshJob).then((answer) => {
  process.stdout.write(JSON.stringify(answer));
});
