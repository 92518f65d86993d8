/** Runs the whole model on items alone and stacked, and the slices on stacked items, in the process of `verify`. */
import type { RawTensor } from '../../lambda/tensors/tensor';
import { ORT_LEVELS } from '../../lib/optimize/level';
import { type Sessions, reasonOf } from '../onnx-jobs/answer';
import { compareTensor } from './difference';
import type { JobAnswer, StackedAnswer, StackedJob } from './run-job';
import { candidateInputs, describeInputs } from './seeded-inputs';
import { StackedComparison, stacked } from './stacked';

type Tensors = ReadonlyMap<string, RawTensor>;
type Run = (inputs: Tensors) => Promise<Tensors>;

/** @param runSlices on a request */
export async function runStacked(job: StackedJob, Session: Sessions, runSlices: Run): Promise<JobAnswer> {
  let failed: JobAnswer | undefined;
  for (const [candidate, inputs] of [...candidateInputs(job.generated)].entries()) {
    // Open a new session each time: a failed run may have advanced the generators of seeded random operators.
    const session = await Session.open({
      path: job.modelPath,
      threads: job.threads,
      graphOptimizationLevel: ORT_LEVELS[job.optimization],
    });
    try {
      const run: Run = (request) => session.run(request, job.outputNames);
      try {
        await run(inputs);
      } catch (error) {
        failed ??= { failure: reasonOf(error), ranOn: describeInputs(inputs) };
        continue;
      }
      return { stacked: await compareStacks(job, candidate, run, runSlices) };
    } finally {
      await session.release();
    }
  }
  return failed ?? {};
}

async function compareStacks(
  job: StackedJob,
  candidate: number,
  run: Run,
  runSlices: Run,
): Promise<StackedAnswer> {
  const { items, sets, generated } = job;
  const comparison = new StackedComparison();
  let slicesIdentical = true;
  for (let set = 0; set < sets; set++) {
    const requests = Array.from({ length: items }, (_, item) =>
      inputsOf(job, candidate, generated.seed + set * items + item),
    );
    const alone: Tensors[] = [];
    for (const request of requests) alone.push(await run(request));
    // The last stack of a child may have any number of items, so one set of items is stacked in every number.
    const sizes = set === 0 ? Array.from({ length: items - 1 }, (_, index) => index + 2) : [items];
    for (const size of sizes) {
      const request = stacked(requests.slice(0, size));
      const together = await runTogether(run, request);
      comparison.add(alone.slice(0, size), together);
      if (set > 0 || size < items) continue;
      const sliced = await runTogether(runSlices, request);
      slicesIdentical = [...together].every(
        ([name, tensor]) => compareTensor(name, tensor, sliced.get(name)).identical,
      );
    }
  }
  const inputs = [...inputsOf(job, candidate, generated.seed)].map(([name, { dtype, shape }]) => ({
    name,
    dtype,
    shape,
  }));
  return { inputs, slicesIdentical, ...comparison.result() };
}

async function runTogether(run: Run, request: Tensors): Promise<Tensors> {
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
