/** Runs the whole model on items alone and stacked, and the slices on stacked items, in the process of `verify`. */
import { joined, rowsOf } from '../../lambda/tensors/stacked';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { reasonOf } from '../onnx-jobs/answer';
import { compareTensor } from './difference';
import type { StackedAnswer, StackedJob, StackedOutput } from './run-job';
import { candidateInputs, describeInputs } from './seeded-inputs';

type Tensors = ReadonlyMap<string, RawTensor>;
type Run = (inputs: Tensors) => Promise<Tensors>;

/** @param candidate index of the inputs on which the whole model runs */
export async function compareStacks(
  job: StackedJob,
  candidate: number,
  runWhole: Run,
  runSlices: Run,
): Promise<StackedAnswer> {
  const { items, sets, generated } = job;
  const comparison = new StackedComparison();
  for (let set = 0; set < sets; set++) {
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
      for (const run of runs) comparison.add(alone.slice(0, size), await runStack(run, request));
    }
  }
  const inputs = [...inputsOf(job, candidate, generated.seed)].map(([name, { dtype, shape }]) => ({
    ...{ name, dtype, shape },
  }));
  return { inputs, ...comparison.result() };
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
  for (const inputs of candidateInputs({ ...generated, seed })) if (index++ === candidate) return inputs;
  throw new Error('the number of candidates depends on no seed');
}

/** Counts the items of stacks whose bits differ from those of a run alone. */
class StackedComparison {
  private readonly outputs = new Map<string, StackedOutput>();
  private compared = 0;
  private different = 0;

  /** @param alone by item: what the model returns for it alone */
  add(alone: readonly Tensors[], together: Tensors): void {
    this.compared += alone.length;
    for (const [item, outputs] of alone.entries()) {
      const identical = [...outputs].map(([name, tensor]) => {
        const whole = together.get(name);
        // As in the batch's function, each item has one row.
        const isStack = whole?.shape[0] === alone.length;
        return this.addOutput(name, tensor, isStack ? rowsOf(whole, item, item + 1) : undefined);
      });
      if (identical.includes(false)) this.different++;
    }
  }

  private addOutput(name: string, expected: RawTensor, got: RawTensor | undefined): boolean {
    const { identical, maxAbsDiff, dtype, shape } = compareTensor(name, expected, got);
    const before = this.outputs.get(name) ?? { different: 0, maxAbsDiff: 0 };
    const isMeasured = maxAbsDiff !== null && before.maxAbsDiff !== null;
    this.outputs.set(name, {
      ...{ name, dtype, shape, different: before.different + (identical ? 0 : 1) },
      maxAbsDiff: isMeasured ? Math.max(before.maxAbsDiff, maxAbsDiff) : null,
    });
    return identical;
  }

  result(): Omit<StackedAnswer, 'inputs'> {
    const { outputs, compared, different } = this;
    return { outputs: [...outputs.values()], compared, different };
  }
}
