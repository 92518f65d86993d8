/** Runs one job in a process of its own: a model that crashes ONNX Runtime must not take the verifier with it. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/safetensors';
import { Session } from '../../lambda/session';
import type { RawTensor } from '../../lambda/tensor';
import { PLAN_FILE } from '../../lib/emit/write';
import { readPlan } from '../../lib/plan/plan';
import type { ChainJob, Job, JobAnswer, WholeJob } from './job';

type Tensors = Map<string, RawTensor>;

async function runWhole(job: WholeJob): Promise<JobAnswer> {
  const session = await Session.open({ path: job.modelPath, threads: job.threads });
  let error: unknown;
  for (const [used, candidate] of job.candidates.entries()) {
    try {
      write(job.outputs, await session.run(read(candidate), job.outputNames));
      return { used };
    } catch (reason) {
      error = reason;
    }
  }
  throw error;
}

async function runChain(job: ChainJob): Promise<JobAnswer> {
  const { slices, outputs } = readPlan(path.join(job.slicesFolder, PLAN_FILE));
  const request = read(job.inputs);
  const made: Tensors[] = [];
  for (const slice of slices) {
    const session = await Session.open({
      path: path.join(job.slicesFolder, slice.model.file),
      threads: job.threads,
    });
    const inputs = slice.inputs.map(({ name, source }): [string, RawTensor] => [
      name,
      pick(source.from === 'request' ? request : made[source.slice], name),
    ]);
    made.push(
      await session.run(
        new Map(inputs),
        slice.outputs.map(({ name }) => name),
      ),
    );
    await session.release();
  }
  const results = outputs.map(({ name, source }): [string, RawTensor] => [
    name,
    pick(source.from === 'request' ? request : made[source.slice], name),
  ]);
  write(job.outputs, new Map(results));
  return { used: 0 };
}

function pick(tensors: ReadonlyMap<string, RawTensor>, name: string): RawTensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`tensor '${name}' was not made`);
  return tensor;
}

function read(file: string): Tensors {
  return decodeSafetensors(fs.readFileSync(file));
}

function write(file: string, tensors: Tensors): void {
  fs.writeFileSync(file, encodeSafetensors(tensors));
}

async function main(): Promise<void> {
  const job = JSON.parse(fs.readFileSync(process.argv[2], 'utf8')) as Job;
  let answer: JobAnswer;
  try {
    answer = job.kind === 'whole' ? await runWhole(job) : await runChain(job);
  } catch (error) {
    answer = { error: (error as Error).message };
  }
  fs.writeFileSync(process.argv[3], JSON.stringify(answer));
}

void main();
