/** Runs the whole model, or its chained slices, for `verify`. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { PLAN_FILE } from '../../lib/emit/write';
import { ORT_LEVELS } from '../../lib/optimize/level';
import { readPlan } from '../../lib/compile/files/read-plan';
import { runChain } from '../../local/cloud/run-chain';
import { type Sessions, answerJob, reasonOf } from '../onnx-jobs/answer';
import type { ChainJob, Job, JobAnswer, WholeJob } from './run-job';
import { candidatesToCompare, describeInputs } from './seeded-inputs';

type Tensors = ReadonlyMap<string, RawTensor>;

/**
 * Runs the whole model on the first candidate on which it runs. If it runs on none, the answer reports the failure of the first one, which
 * is the most plausible.
 */
async function runWhole(job: WholeJob, Session: Sessions): Promise<JobAnswer> {
  const candidates = job.generated ? candidatesToCompare(job.generated) : [read(job.inputs)];
  let answer: JobAnswer | undefined;
  for (const inputs of candidates) {
    // Open a new session each time: a failed run may have advanced the generators of seeded random operators.
    const session = await openWhole(job, Session);
    try {
      const outputs = await session.run(inputs, job.outputNames).catch((error: unknown) => {
        answer ??= { failure: reasonOf(error), ranOn: describeInputs(inputs) };
      });
      if (!outputs) continue;
      write(job.outputs, outputs);
      if (job.generated) write(job.inputs, inputs);
      return {};
    } finally {
      await session.release();
    }
  }
  return answer ?? {};
}

function openWhole({ modelPath, threads, prepacking, optimization }: WholeJob, Session: Sessions) {
  if (optimization === 'default') return Session.openDefault(modelPath);
  const graphOptimizationLevel = optimization === 'all' ? 'all' : ORT_LEVELS[optimization];
  return Session.open({ path: modelPath, threads, prepacking, graphOptimizationLevel });
}

async function runSlices(job: ChainJob, Session: Sessions): Promise<void> {
  const plan = readPlan(path.join(job.slicesFolder, PLAN_FILE));
  const results = await runChain(plan, read(job.inputs), async (slice, inputs) => {
    const { model, outputs } = plan.slices[slice];
    const session = await Session.open({
      path: path.join(job.slicesFolder, model.file),
      threads: job.threads,
      prepacking: job.prepacking,
      ...(job.optimizes && { graphOptimizationLevel: 'all' }),
    });
    const tensors = await session.run(
      inputs,
      outputs.map(({ name }) => name),
    );
    await session.release();
    return tensors;
  });
  write(job.outputs, results);
}

function read(file: string): Tensors {
  return decodeSafetensors(fs.readFileSync(file));
}

function write(file: string, tensors: Tensors): void {
  fs.writeFileSync(file, encodeSafetensors(tensors));
}

void answerJob(async (question, sessions): Promise<JobAnswer> => {
  const job = question as Job;
  if (job.kind === 'whole') return await runWhole(job, sessions);
  await runSlices(job, sessions);
  return {};
});
