/** Measures cold runs in Lambda's simulated network: slices with and without warm-up, the whole model, naive slices. */
import type { NetworkShape, Simulation } from '../../local';
import { formatSpread, spread } from '../measure';
import { formatTable } from '../table';
import type { Deployment, Run } from './deployment';
import { FIRST_BYTE_MS, type OwnProcessors, withOwnProcessors } from './own-processors';
import type { DeploymentName, Subjects } from './subjects';

export interface ColdResult {
  readonly table: string;
  /** The ratio of slices to the whole model: here, and with a processor for each function. */
  readonly ratios: string;
  /** Highest peak memory of the cold runs, by slice, in bytes: with warm-up, when all slices start at once. */
  readonly peaks: readonly number[];
  /** The same without warm-up, when the slices start one after another. */
  readonly peaksAlone: readonly number[];
  readonly wholePeak: number;
}

export type ColdSimulation = Simulation & { readonly network: NetworkShape; readonly coldStartMs: number };

const NAMES: readonly DeploymentName[] = ['sliced', 'sliced, no warm-up', 'whole', 'naive'];

/** The most that a cold run of eight slices may take of the whole model's, on two processors. */
const TARGET = 0.25;

export async function benchCold(
  subjects: Subjects,
  simulation: ColdSimulation,
  rounds: number,
): Promise<ColdResult> {
  const deployments = new Map<DeploymentName, Deployment>();
  const runs = new Map<DeploymentName, Run[]>(NAMES.map((name) => [name, []]));
  const starts: number[] = [];
  const estimates: OwnProcessors[] = [];
  const warmRuns: number[] = [];
  try {
    for (const name of NAMES) {
      // Alone, a function starts in the time that its processor takes.
      const onLog =
        name === 'sliced, no warm-up' ? (line: string) => starts.push(...startsIn(line)) : undefined;
      deployments.set(name, await subjects.start(name, simulation, true, onLog));
    }
    // Do not count the first run: it compiles the code of the simulation, which all deployments share.
    await deployments.get('sliced')?.run();
    for (let round = 0; round < rounds; round++) {
      const loadCpu: number[] = [];
      let warm: Run | undefined;
      for (const [name, deployment] of deployments) {
        await deployment.makeCold();
        subjects.claimMemory();
        runs.get(name)?.push(await deployment.run());
        if (name !== 'sliced') continue;
        const afterCold = deployment.cpuMs();
        warm = await deployment.run();
        const afterWarm = deployment.cpuMs();
        loadCpu.push(...afterCold.map((ms, slice) => 2 * ms - afterWarm[slice]));
      }
      for (const deployment of deployments.values()) await deployment.makeCold();
      if (warm === undefined) continue;
      warmRuns.push(warm.ms);
      const alone = runs.get('sliced, no warm-up')?.at(-1);
      estimates.push(
        withOwnProcessors(
          {
            warmRunMs: warm.ms,
            firstCallMs: callMs(alone),
            laterCallMs: callMs(warm),
            loadCpuMs: loadCpu,
            startMs: spread(starts).median,
            sliceBytes: subjects.sliceBytes,
          },
          simulation.network,
          simulation.coldStartMs,
        ),
      );
    }
  } finally {
    for (const deployment of deployments.values()) await deployment.close();
  }
  const ms = (name: DeploymentName): number[] => (runs.get(name) ?? []).map((run) => run.ms);
  const peaks = (name: DeploymentName): number[][] =>
    (runs.get(name) ?? []).map(({ timings }) => timings.map((timing) => timing.peakMemoryBytes));
  const highest = (name: DeploymentName): number[] =>
    subjects.plan.slices.map((_, slice) => Math.max(...peaks(name).map((run) => run[slice])));
  return {
    table: tableOf(ms),
    ratios: ratiosOf(ms('sliced'), ms('whole'), estimates, {
      warmRuns,
      startMs: spread(starts).median,
      placementMs: simulation.coldStartMs,
    }),
    peaks: highest('sliced'),
    peaksAlone: highest('sliced, no warm-up'),
    wholePeak: Math.max(...peaks('whole').flat()),
  };
}

function tableOf(ms: (name: DeploymentName) => number[]): string {
  const ratios = (from: readonly number[], to: readonly number[], digits: number): string =>
    formatSpread(spread(from.map((value, round) => value / to[round])), digits);
  return formatTable(
    ['cold run', 's', 'ratio to whole', 'times faster than naive'],
    NAMES.map((name) => [
      name,
      formatSpread(spread(ms(name).map((value) => value / 1000)), 1),
      ratios(ms(name), ms('whole'), 2),
      ratios(ms('naive'), ms(name), 1),
    ]),
  );
}

/** What the estimates have in common. */
interface Common {
  readonly warmRuns: readonly number[];
  readonly startMs: number;
  readonly placementMs: number;
}

/** Both ratios, and the parts of the second one in the round with the median time. */
function ratiosOf(
  sliced: readonly number[],
  whole: readonly number[],
  estimates: readonly OwnProcessors[],
  { warmRuns, startMs, placementMs }: Common,
): string {
  const ratio = (from: readonly number[]): string =>
    formatSpread(spread(from.map((ms, round) => ms / whole[round])), 2);
  const order = estimates.map((_, round) => round).sort((a, b) => estimates[a].ms - estimates[b].ms);
  const round = order[Math.floor(order.length / 2)];
  const { ms, firstRunsMs, slowest } = estimates[round];
  const s = (value: number): string => `${(value / 1000).toFixed(2)} s`;
  const loadMs = placementMs + startMs + FIRST_BYTE_MS + Math.max(slowest.cpuMs, slowest.bucketMs);
  const meanwhile = slowest.slice === 0 ? '' : ` - ${s(loadMs - slowest.ms)} while slice 0 runs`;
  return [
    `sliced / whole on this machine: ${ratio(sliced)}; the target for eight slices on two processors is ${TARGET}`,
    `sliced / whole with a processor for each function, computed from measured parts: ${ratio(estimates.map((each) => each.ms))}`,
    `  cold run = warm run + first runs + slowest load = ${s(warmRuns[round])} + ${s(firstRunsMs)} + ${s(slowest.ms)} = ${s(ms)}`,
    `  slowest load, slice ${slowest.slice} = placement ${s(placementMs)} + start ${s(startMs)} + first byte ${s(FIRST_BYTE_MS)} + ` +
      `the longer of processor ${s(slowest.cpuMs)} and bucket ${s(slowest.bucketMs)}${meanwhile}`,
  ].join('\n');
}

/** By slice: milliseconds of a call's reading, computing and writing. */
function callMs(run: Run | undefined): number[] {
  return (run?.timings ?? []).map(({ readMs, runMs, writeMs }) => readMs + runMs + writeMs);
}

/** The start of a function that a line of its log reports. */
function startsIn(line: string): number[] {
  const init = /Init Duration: ([\d.]+) ms/.exec(line);
  return init === null ? [] : [Number(init[1])];
}
