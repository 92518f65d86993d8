/** Runs the whole model on items alone and stacked, and the slices on stacked items, in the process of `verify`. */
import { joined, rowsOf } from '../../lambda/tensors/stacked';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { reasonOf } from '../onnx-jobs/answer';
import { type LargestDifference, compareTensor, largestDifference } from './difference';
import type { StackedAnswer, StackedJob } from './run-job';
import { candidatesToCompare, describeInputs } from './seeded-inputs';

/** Sets of different items. Further ones are stacked in the largest number only. */
const SETS = 3;

type Tensors = ReadonlyMap<string, RawTensor>;
type Run = (inputs: Tensors) => Promise<Tensors>;

/** @param candidate index of the inputs on which the whole model runs */
export async function compareStacks(
  job: StackedJob,
  candidate: number,
  runWhole: Run,
  runSlices: Run,
): Promise<StackedAnswer> {
  const { items, generated } = job;
  const found: (LargestDifference | undefined)[] = [];
  for (let set = 0; set < SETS; set++) {
    const requests = Array.from({ length: items }, (_, item) =>
      inputsOf(job, candidate, generated.seed + set * items + item),
    );
    const alone: Tensors[] = [];
    for (const request of requests) alone.push(await runWhole(request));
    // The last stack of a child may have any number of items, so one set of items is stacked in every number.
    const sizes = set === 0 ? Array.from({ length: items - 1 }, (_, index) => index + 2) : [items];
    for (const size of sizes) {
      const request = stacked(requests.slice(0, size));
      const runs = set === 0 && size === items ? [runWhole, runSlices] : [runWhole];
      for (const run of runs)
        found.push(...differencesOf(alone.slice(0, size), await runStack(run, request)));
    }
  }
  const inputs = [...inputsOf(job, candidate, generated.seed)].map(([name, { dtype, shape }]) => ({
    ...{ name, dtype, shape },
  }));
  const different = found.filter((difference) => difference !== undefined);
  return { inputs, compared: found.length, different: different.length, ...largestDifference(different) };
}

function stacked(requests: readonly Tensors[]): Tensors {
  const names = [...requests[0].keys()];
  return new Map(names.map((name) => [name, joined(requests.flatMap((own) => own.get(name) ?? []))]));
}

async function runStack(run: Run, request: Tensors): Promise<Tensors> {
  try {
    return await run(request);
  } catch (error) {
    throw new Error(`${describeInputs(request)}, stacked: ${reasonOf(error)}`, { cause: error });
  }
}

function inputsOf({ generated }: StackedJob, candidate: number, seed: number): Tensors {
  let index = 0;
  for (const inputs of candidatesToCompare({ ...generated, seed })) if (index++ === candidate) return inputs;
  throw new Error('the number of candidates depends on no seed');
}

/** By item of a stack: how far its outputs are from those that it has alone; `undefined` if no bit differs. */
function differencesOf(alone: readonly Tensors[], together: Tensors): (LargestDifference | undefined)[] {
  return alone.map((outputs, item) => {
    const compared = [...outputs].map(([name, tensor]) => {
      const whole = together.get(name);
      // As in the batch's function, each item has one row.
      const isStack = whole?.shape[0] === alone.length;
      return compareTensor(name, tensor, isStack ? rowsOf(whole, item, item + 1) : undefined);
    });
    return compared.every(({ identical }) => identical) ? undefined : largestDifference(compared);
  });
}
