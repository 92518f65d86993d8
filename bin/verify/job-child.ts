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
import type { ChainJob, DefaultJob, Job, JobAnswer, StackedJob, WholeJob, WholeModel } from './run-job';
import { compareStacks } from './run-stacked';
import { candidatesToCompare, describeInputs } from './seeded-inputs';

type Tensors = ReadonlyMap<string, RawTensor>;

interface WholeRun {
  readonly inputs: Tensors;
  /** Of `inputs` among the candidates. */
  readonly index: number;
  readonly outputs: Tensors;
  readonly run: (inputs: Tensors) => Promise<Tensors>;
}

/**
 * Uses the whole model with the first candidate on which it runs. If it runs on none, the answer reports the failure of the first one, which
 * is the most plausible.
 */
async function onFirst(
  job: WholeModel,
  candidates: Iterable<Tensors>,
  Session: Sessions,
  use: (whole: WholeRun) => Promise<JobAnswer> | JobAnswer,
): Promise<JobAnswer> {
  let answer: JobAnswer | undefined;
  let index = 0;
  for (const inputs of candidates) {
    // Open a new session each time: a failed run may have advanced the generators of seeded random operators.
    const session = await Session.open({
      path: job.modelPath,
      threads: job.threads,
      prepacking: job.prepacking,
      graphOptimizationLevel: ORT_LEVELS[job.optimization],
    });
    try {
      const run = (request: Tensors): Promise<Tensors> => session.run(request, job.outputNames);
      const outputs = await run(inputs).catch((error: unknown) => {
        answer ??= { failure: reasonOf(error), ranOn: describeInputs(inputs) };
      });
      if (outputs) return await use({ inputs, index, outputs, run });
      index++;
    } finally {
      await session.release();
    }
  }
  return answer ?? {};
}

async function runWhole(job: WholeJob, Session: Sessions): Promise<JobAnswer> {
  const candidates = job.generated ? candidatesToCompare(job.generated) : [read(job.inputs)];
  return await onFirst(job, candidates, Session, ({ inputs, outputs }) => {
    write(job.outputs, outputs);
    if (job.generated) write(job.inputs, inputs);
    return {};
  });
}

async function runStacked(job: StackedJob, Session: Sessions): Promise<JobAnswer> {
  return await onFirst(job, candidatesToCompare(job.generated), Session, async ({ index, run }) => ({
    stacked: await compareStacks(job, index, run, (request) => runSlices(job, request, Session)),
  }));
}

/** @returns the model's outputs for a request */
async function runSlices(
  job: Pick<ChainJob, 'slicesFolder' | 'threads' | 'prepacking'>,
  request: Tensors,
  Session: Sessions,
): Promise<Tensors> {
  const plan = readPlan(path.join(job.slicesFolder, PLAN_FILE));
  return await runChain(plan, request, async (slice, inputs) => {
    const { model, outputs } = plan.slices[slice];
    const session = await Session.open({
      path: path.join(job.slicesFolder, model.file),
      threads: job.threads,
      prepacking: job.prepacking,
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
      return await runStacked(job, sessions);
    case 'chain':
      write(job.outputs, await runSlices(job, read(job.inputs), sessions));
      return {};
    case 'default':
      await runDefault(job, sessions);
      return {};
  }
});
