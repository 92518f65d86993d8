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
import { runStacked } from './run-stacked';
import type { ChainJob, DefaultJob, Job, JobAnswer, WholeJob } from './run-job';
import { candidateInputs, describeInputs } from './seeded-inputs';

type Tensors = ReadonlyMap<string, RawTensor>;

/** If no candidate runs, the answer reports the failure of the first one, which is the most plausible. */
async function runWhole(job: WholeJob, Session: Sessions): Promise<JobAnswer> {
  let answer: JobAnswer | undefined;
  for (const candidate of job.generated ? candidateInputs(job.generated) : [read(job.inputs)]) {
    // Open a new session each time: a failed run may have advanced the generators of seeded random operators.
    const session = await Session.open({
      path: job.modelPath,
      threads: job.threads,
      graphOptimizationLevel: ORT_LEVELS[job.optimization],
    });
    try {
      write(job.outputs, await session.run(candidate, job.outputNames));
      if (job.generated) write(job.inputs, candidate);
      return {};
    } catch (error) {
      answer ??= { failure: reasonOf(error), ranOn: describeInputs(candidate) };
    } finally {
      await session.release();
    }
  }
  return answer ?? {};
}

/** @returns the model's outputs for a request */
async function runSlices(
  job: Pick<ChainJob, 'slicesFolder' | 'threads'>,
  request: Tensors,
  Session: Sessions,
): Promise<Tensors> {
  const plan = readPlan(path.join(job.slicesFolder, PLAN_FILE));
  return await runChain(plan, request, async (slice, inputs) => {
    const { model, outputs } = plan.slices[slice];
    const session = await Session.open({
      path: path.join(job.slicesFolder, model.file),
      threads: job.threads,
    });
    const tensors = await session.run(
      inputs,
      outputs.map(({ name }) => name),
    );
    await session.release();
    return tensors;
  });
}

async function runDefault(job: DefaultJob, Session: Sessions): Promise<void> {
  const session = await Session.openDefault(job.modelPath);
  write(job.outputs, await session.run(read(job.inputs), job.outputNames));
  await session.release();
}

function read(file: string): Tensors {
  return decodeSafetensors(fs.readFileSync(file));
}

function write(file: string, tensors: Tensors): void {
  fs.writeFileSync(file, encodeSafetensors(tensors));
}

void answerJob(async (question, sessions): Promise<JobAnswer> => {
  const job = question as Job;
  switch (job.kind) {
    case 'whole':
      return await runWhole(job, sessions);
    case 'stacked':
      return await runStacked(job, sessions, (request) => runSlices(job, request, sessions));
    case 'chain':
      write(job.outputs, await runSlices(job, read(job.inputs), sessions));
      return {};
    case 'default':
      await runDefault(job, sessions);
      return {};
  }
});
