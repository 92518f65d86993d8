/** Runs a whole model and its chained slices alternately in one process; prints elapsed and CPU times as JSON. */
import * as path from 'node:path';
import { Session } from '../../lambda/slice/session';
import { readPlan } from '../../lib/compile/plan-file';
import { PLAN_FILE } from '../../lib/emit/write';
import { runChain } from '../../local/cloud/run-chain';
import { benchInputs, type BenchModel } from './models';

/** Milliseconds of each round. */
export interface Compute {
  readonly wholeMs: number[];
  readonly slicesMs: number[];
  readonly wholeCpuMs: number[];
  readonly slicesCpuMs: number[];
}

/** Rounds that are not counted: the first one faults in the pages of the weights. */
const WARM_UP_ROUNDS = 3;

async function main(model: BenchModel, slicesFolder: string, rounds: number): Promise<Compute> {
  const request = benchInputs(model);
  const whole = await Session.open({ path: model.file, threads: 1 });
  const plan = readPlan(path.join(slicesFolder, PLAN_FILE));
  const sessions: Session[] = [];
  for (const { model: file } of plan.slices) {
    sessions.push(await Session.open({ path: path.join(slicesFolder, file.file), threads: 1 }));
  }
  const runWhole = async (): Promise<void> => {
    await whole.run(request, whole.outputNames);
  };
  const runSlices = async (): Promise<void> => {
    await runChain(plan, request, (slice, inputs) => {
      const names = plan.slices[slice].outputs.map(({ name }) => name);
      return sessions[slice].run(inputs, names);
    });
  };
  const compute: Compute = { wholeMs: [], slicesMs: [], wholeCpuMs: [], slicesCpuMs: [] };
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const ofWhole = await measured(runWhole);
    const ofSlices = await measured(runSlices);
    if (round < 0) continue;
    compute.wholeMs.push(ofWhole.ms);
    compute.wholeCpuMs.push(ofWhole.cpuMs);
    compute.slicesMs.push(ofSlices.ms);
    compute.slicesCpuMs.push(ofSlices.cpuMs);
  }
  return compute;
}

async function measured(run: () => Promise<void>): Promise<{ ms: number; cpuMs: number }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await run();
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1000 };
}

if (require.main === module) {
  const [model, slicesFolder, rounds] = process.argv.slice(2);
  void main(JSON.parse(model) as BenchModel, slicesFolder, Number(rounds)).then((compute) =>
    process.stdout.write(JSON.stringify(compute)),
  );
}
