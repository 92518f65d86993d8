/** Measures a slice, the machine, or the sizes in a whole model, in a process of its own, so that one slice is in memory at a time. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import { median } from '../../lib/extremes';
import type { SizesJob } from '../../lib/shapes/data-sizes';
import { type Sessions, answerJob } from '../onnx-jobs/answer';
import { type KernelSpeeds, MEASURED_KERNELS } from '../../lib/compute-time/kernel-class';
import { readEvents } from './events';
import { emptyModel, kernelModels } from './kernel-models';
import { NodeLabels } from './label-nodes';
import { measureSizes } from './measure-sizes';
import { rounded, shorterHalf } from './node-times';
import type { ProfileJob, SliceAnswer, SliceJob, SpeedAnswer, SpeedJob } from './run-profile-job';

/** Runs of a kernel, each of at most a few milliseconds. */
const KERNEL_RUNS = 40;

/** Between two runs with the profiler, runs without it take this long, or are so many: short runs need many samples. */
const PLAIN_SECONDS = 0.03;
const MOST_PLAIN_RUNS = 50;

/** Calls after which V8 has compiled the code of a call; before, a call took 3 times as long. */
const CALLS_UNTIL_COMPILED = 4000;

/** One thread. The profiler's times contain neither the call nor new memory for the output. */
async function measureSpeed({ folder }: SpeedJob, sessions: Sessions): Promise<SpeedAnswer> {
  const speeds: Partial<Record<keyof KernelSpeeds, number>> = {};
  for (const kernel of MEASURED_KERNELS) {
    const { model, inputs, operations } = kernelModels()[kernel];
    const [file, profilePrefix] = [`${kernel}.onnx`, kernel].map((name) => path.join(folder, name));
    fs.writeFileSync(file, model);
    const session = await sessions.open({ path: file, threads: 1, profilePrefix });
    for (let run = 0; run < KERNEL_RUNS; run++) await session.run(inputs, ['y']);
    session.endProfiling();
    await session.release();
    const { nodes } = await readEvents(eventsFile(folder, `${kernel}_`), { nodeOf: () => 0 });
    speeds[kernel] = rounded(operations / (median(shorterHalf(nodes[0].micros)) / 1e6));
  }
  return { speeds: speeds as KernelSpeeds };
}

/** Runs with and without the profiler alternate, so that both see the same load of the machine. */
async function measureSlice(job: SliceJob, sessions: Sessions): Promise<SliceAnswer> {
  const { model, empty, threads, runs, outputNames } = job;
  const labels = new NodeLabels(job.mark);
  const idle = await sessions.open({ path: empty, threads });
  const { inputs: one } = emptyModel();
  const inputs = decodeSafetensors(fs.readFileSync(job.inputs));
  const plain = await sessions.open({ path: model, threads });
  const outputs = await plain.run(inputs, outputNames);
  fs.writeFileSync(job.outputs, encodeSafetensors(outputs));

  const prefix = path.join(job.folder, 'events');
  const profiled = await sessions.open({ path: model, threads, profilePrefix: prefix });
  await profiled.run(inputs, outputNames);
  const runPlain = (): Promise<unknown> => plain.run(inputs, outputNames);
  const runEmpty = (): Promise<unknown> => idle.run(one, ['y']);
  for (let call = 0; call < CALLS_UNTIL_COMPILED; call++) await runEmpty();
  const clock = clockFor(threads);
  const plainRuns = Math.ceil(PLAIN_SECONDS / (await timed(clock, runPlain)));
  const seconds: number[] = [];
  const callSeconds: number[] = [];
  for (let run = 0; run < runs; run++) {
    for (let more = 0; more < Math.min(plainRuns, MOST_PLAIN_RUNS); more++) {
      seconds.push(await timed(clock, runPlain));
      // After a run, because the caches then hold the model and not the code of a call, as they do when a slice is called.
      callSeconds.push(await timed(clock, runEmpty));
    }
    await profiled.run(inputs, outputNames);
  }
  profiled.endProfiling();
  const events = await readEvents(eventsFile(job.folder, 'events'), labels);
  if (events.runs === 0) throw new Error('it runs more nodes than the profiler of ONNX Runtime can record');
  return { events, seconds, callSeconds };
}

/** The file that ONNX Runtime's profiler wrote. */
function eventsFile(folder: string, prefix: string): string {
  const file = fs.readdirSync(folder).find((name) => name.startsWith(prefix) && name.endsWith('.json'));
  if (file === undefined) throw new Error("the profiler's file is missing");
  return path.join(folder, file);
}

/** Returns seconds since some moment. */
type Clock = () => number;

/**
 * With one thread, the time of the processor: a busy machine takes the processor away for milliseconds, which is no work of
 * the model. Several threads wait for one another, so only the elapsed time tells.
 */
function clockFor(threads: number): Clock {
  if (threads > 1) return () => performance.now() / 1000;
  return () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
}

async function timed(clock: Clock, work: () => Promise<unknown>): Promise<number> {
  const start = clock();
  await work();
  return clock() - start;
}

void answerJob((question, sessions) => {
  const job = question as ProfileJob | SizesJob;
  if (job.kind === 'sizes') return measureSizes(job, sessions);
  return job.kind === 'speed' ? measureSpeed(job, sessions) : measureSlice(job, sessions);
});
