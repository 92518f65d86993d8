/** Runs the slices of a plan as the functions run them, each many times; prints seconds by slice as JSON. */
import * as path from 'node:path';
import { Session } from '../../lambda/slice/session';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { elementBytes, elementCount, typedView } from '../../lambda/tensors/tensor';
import { readPlan } from '../../lib/compile/plan-file';
import { PLAN_FILE } from '../../lib/emit/write';
import type { SlicePlan } from '../../lib/plan/file/plan';
import { dimensionName } from '../../lib/shapes/value-types';
import { runChain } from '../../local/cloud/run-chain';
import { spread } from '../measure';

export interface FreshJob {
  /** Folder of a written plan. */
  readonly folder: string;
  readonly dimensions: Readonly<Record<string, number>>;
  readonly runs: number;
}

/** By slice: the medians of the runs, in seconds. */
export type FreshAnswer = readonly FreshSlice[];

export interface FreshSlice {
  readonly elapsed: number;
  /** Time of the processor: what the run takes on an idle machine. */
  readonly cpu: number;
}

/** Runs that are not counted: the first one reads the weights. */
const WARM_UP_RUNS = 2;

async function main({ folder, dimensions, runs }: FreshJob): Promise<FreshAnswer> {
  const plan = readPlan(path.join(folder, PLAN_FILE));
  const medians: FreshSlice[] = [];
  await runChain(plan, generated(plan, dimensions), async (slice, inputs) => {
    const { model, outputs } = plan.slices[slice];
    const names = outputs.map(({ name }) => name);
    const session = await Session.open({ path: path.join(folder, model.file), threads: 1 });
    const elapsed: number[] = [];
    const cpu: number[] = [];
    let results = new Map<string, RawTensor>();
    for (let run = -WARM_UP_RUNS; run < runs; run++) {
      const start = process.hrtime.bigint();
      const before = process.cpuUsage();
      results = await session.run(inputs, names);
      if (run < 0) continue;
      elapsed.push(Number(process.hrtime.bigint() - start) / 1e9);
      const { user, system } = process.cpuUsage(before);
      cpu.push((user + system) / 1e6);
    }
    medians.push({ elapsed: spread(elapsed).median, cpu: spread(cpu).median });
    await session.release();
    return results;
  });
  return medians;
}

/** Deterministic inputs: floats from 0 to 1, integers below 10. */
function generated(plan: SlicePlan, dimensions: FreshJob['dimensions']): Map<string, RawTensor> {
  return new Map(
    plan.inputs.map(({ name, dtype, shape }): [string, RawTensor] => {
      const sizes = (shape ?? []).map((size, axis) => {
        if (typeof size === 'number') return size;
        const symbol = dimensionName(name, axis, size) ?? '';
        return Object.hasOwn(dimensions, symbol) ? dimensions[symbol] : 1;
      });
      if (dtype === 'string') throw new Error(`input '${name}' is text, which this benchmark does not make`);
      const count = elementCount(sizes);
      const tensor = { dtype, shape: sizes, bytes: new Uint8Array(count * elementBytes(dtype)) };
      const elements = typedView(tensor);
      for (let index = 0; index < count; index++) {
        const number = (index * 7919) % 10;
        if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) {
          elements[index] = BigInt(number);
        } else elements[index] = dtype.startsWith('float') ? number / 10 : dtype === 'bool' ? 1 : number;
      }
      return [name, tensor];
    }),
  );
}

void main(JSON.parse(process.argv[2]) as FreshJob).then((answer) => {
  process.stdout.write(JSON.stringify(answer));
});
