/** Runs one job in its own process, so that a model that crashes ONNX Runtime does not crash the verifier. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { Session as SessionClass } from '../../lambda/slice/session';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { PLAN_FILE } from '../../lib/emit/write';
import { ORT_LEVELS } from '../../lib/optimize/level';
import { readPlan } from '../../lib/compile/files/read-plan';
import { runChain } from '../../local/cloud/run-chain';
import type { ChainJob, DefaultJob, Job, JobAnswer, WholeJob } from './run-job';
import { candidateInputs, describeInputs } from './seeded-inputs';

type Sessions = typeof SessionClass;

type Tensors = ReadonlyMap<string, RawTensor>;

/** If no candidate runs, the answer reports the failure of the first one, which is the most plausible. */
async function runWhole(job: WholeJob, Session: Sessions): Promise<JobAnswer> {
  let failure: JobAnswer | undefined;
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
      return { done: true };
    } catch (error) {
      failure ??= { done: false, reason: (error as Error).message, ranOn: describeInputs(candidate) };
    } finally {
      await session.release();
    }
  }
  return failure ?? { done: false, reason: 'no inputs' };
}

async function runSlices(job: ChainJob, Session: Sessions): Promise<JobAnswer> {
  const plan = readPlan(path.join(job.slicesFolder, PLAN_FILE));
  const results = await runChain(plan, read(job.inputs), async (slice, inputs) => {
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
  write(job.outputs, results);
  return { done: true };
}

async function runDefault(job: DefaultJob, Session: Sessions): Promise<JobAnswer> {
  const session = await Session.openDefault(job.modelPath);
  write(job.outputs, await session.run(read(job.inputs), job.outputNames));
  await session.release();
  return { done: true };
}

function runJob(job: Job, sessions: Sessions): Promise<JobAnswer> {
  switch (job.kind) {
    case 'whole':
      return runWhole(job, sessions);
    case 'chain':
      return runSlices(job, sessions);
    case 'default':
      return runDefault(job, sessions);
  }
}

function read(file: string): Tensors {
  return decodeSafetensors(fs.readFileSync(file));
}

function write(file: string, tensors: Tensors): void {
  fs.writeFileSync(file, encodeSafetensors(tensors));
}

async function answerTo(job: Job): Promise<JobAnswer> {
  let sessions: Sessions;
  try {
    // A static import that fails would end the process before it can answer.
    sessions = (await import('../../lambda/slice/session.js')).Session;
  } catch (error) {
    return { done: false, reason: (error as Error).message, isUnloadable: true };
  }
  try {
    return await runJob(job, sessions);
  } catch (error) {
    return { done: false, reason: (error as Error).message };
  }
}

async function main(): Promise<void> {
  const job = JSON.parse(fs.readFileSync(process.argv[2], 'utf8')) as Job;
  fs.writeFileSync(process.argv[3], JSON.stringify(await answerTo(job)));
}

void main();
