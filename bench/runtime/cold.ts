/** Measures cold runs in Lambda's simulated network: slices with and without warm-up, the whole model, naive slices. */
import type { NetworkShape, Simulation } from '../../local';
import type { Deployment, Run } from '../deployment';
import { formatSpread, formatTable, spread } from '../measure';
import { describeOwnProcessors, type OwnProcessors, withOwnProcessors } from './own-processors';
import { startProbe, type DeploymentName, type Subjects } from './subjects';

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

const NAMES = ['sliced', 'sliced, no warm-up', 'whole', 'naive'] as const satisfies readonly DeploymentName[];

/** One cold run of each deployment. */
interface Round {
  readonly runs: Readonly<Record<DeploymentName, Run>>;
  readonly ownProcessors: OwnProcessors;
}

/** The most that a cold run of eight slices may take of the whole model's, on two processors. */
const TARGET = 0.25;

export async function benchCold(
  subjects: Subjects,
  simulation: ColdSimulation,
  folder: string,
  { rounds, protocol }: { readonly rounds: number; readonly protocol: 'http' | 'https' },
): Promise<ColdResult> {
  const deployments: Deployment[] = [];
  const measured: Round[] = [];
  try {
    for (const name of NAMES) deployments.push(await subjects.start(name, simulation, protocol === 'https'));
    const startCpuMs = await startCpu(folder, simulation, rounds);
    // Do not count the first run: it compiles the code of the simulation, which all deployments share.
    await deployments[0].run();
    for (let round = 0; round < rounds; round++) {
      measured.push(await measureRound(deployments, subjects, simulation, startCpuMs));
    }
  } finally {
    for (const deployment of deployments) await deployment.close();
  }
  const peaks = (name: DeploymentName): number[][] =>
    measured.map(({ runs }) => runs[name].timings.map((timing) => timing.peakMemoryBytes));
  const highest = (name: DeploymentName): number[] =>
    subjects.plan.slices.map((_, slice) => Math.max(...peaks(name).map((run) => run[slice])));
  return {
    table: tableOf(measured),
    ratios: ratiosOf(measured),
    peaks: highest('sliced'),
    peaksAlone: highest('sliced, no warm-up'),
    wholePeak: Math.max(...peaks('whole').flat()),
  };
}

/** Milliseconds of processor time for which a function starts. */
async function startCpu(folder: string, simulation: Simulation, rounds: number): Promise<number> {
  const probe = await startProbe(folder, { simulation });
  try {
    const starts: number[] = [];
    for (let round = 0; round < rounds; round++) {
      starts.push(...(await probe.coldCpu()).loadCpuMs);
      await probe.makeCold();
    }
    return spread(starts).median;
  } finally {
    await probe.close();
  }
}

async function measureRound(
  [sliced, ...others]: readonly Deployment[],
  subjects: Subjects,
  { network, coldStartMs }: ColdSimulation,
  startCpuMs: number,
): Promise<Round> {
  await sliced.makeCold();
  subjects.claimMemory();
  const { cold, warm, loadCpuMs } = await sliced.coldCpu();
  const runs: Run[] = [cold];
  for (const deployment of others) {
    await deployment.makeCold();
    subjects.claimMemory();
    runs.push(await deployment.run());
  }
  for (const deployment of [sliced, ...others]) await deployment.makeCold();
  const named = Object.fromEntries(NAMES.map((name, index) => [name, runs[index]]));
  const ownProcessors = withOwnProcessors(
    {
      warmRunMs: warm.ms,
      firstCallMs: callMs(named['sliced, no warm-up']),
      laterCallMs: callMs(warm),
      ...{ loadCpuMs, startCpuMs },
      sliceBytes: subjects.sliceBytes,
    },
    network,
    coldStartMs,
  );
  return { runs: named as Record<DeploymentName, Run>, ownProcessors };
}

/** By slice: milliseconds of a call's reading, computing and writing. */
function callMs({ timings }: Run): number[] {
  return timings.map(({ readMs, runMs, writeMs }) => readMs + runMs + writeMs);
}

function tableOf(rounds: readonly Round[]): string {
  const samples = (of: (round: Round) => number, digits: number): string =>
    formatSpread(spread(rounds.map(of)), digits);
  return formatTable(
    ['cold run', 's', 'ratio to whole', 'times faster than naive'],
    NAMES.map((name) => [
      name,
      samples(({ runs }) => runs[name].ms / 1000, 1),
      samples(({ runs }) => runs[name].ms / runs.whole.ms, 2),
      samples(({ runs }) => runs.naive.ms / runs[name].ms, 1),
    ]),
  );
}

/** Both ratios, and the parts of the second one in the round with the median time. */
function ratiosOf(rounds: readonly Round[]): string {
  const ratio = (ms: (round: Round) => number): string =>
    formatSpread(spread(rounds.map((round) => ms(round) / round.runs.whole.ms)), 2);
  const byTime = rounds.map(({ ownProcessors }) => ownProcessors).sort((a, b) => a.ms - b.ms);
  return [
    `sliced / whole on this machine: ${ratio(({ runs }) => runs.sliced.ms)}; the target for eight slices on two processors is ${TARGET}`,
    `sliced / whole with a processor for each function, computed from measured parts: ${ratio(({ ownProcessors }) => ownProcessors.ms)}`,
    describeOwnProcessors(byTime[Math.floor(byTime.length / 2)]),
  ].join('\n');
}
