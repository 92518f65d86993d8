/** Measures cold runs over a simulated network: slices with and without warm-up, the whole model, naive slices. */
import type { NetworkShape, Simulation } from '../../local';
import { formatSpread, spread } from '../measure';
import { formatTable } from '../table';
import type { Deployment, Run } from './deployment';
import type { DeploymentName, Subjects } from './subjects';

export interface ColdResult {
  readonly table: string;
  /** Highest peak memory of the cold runs, by slice, in bytes: with warm-up, when all slices start at once. */
  readonly peaks: readonly number[];
  /** The same without warm-up, when the slices start one after another. */
  readonly peaksAlone: readonly number[];
  readonly wholePeak: number;
}

const NAMES: readonly DeploymentName[] = ['sliced', 'sliced, no warm-up', 'whole', 'naive'];

export async function benchCold(
  subjects: Subjects,
  simulation: Simulation & { readonly network: NetworkShape },
  rounds: number,
): Promise<ColdResult> {
  const deployments: Deployment[] = [];
  const runs = new Map<DeploymentName, Run[]>(NAMES.map((name) => [name, []]));
  const ideals: number[] = [];
  try {
    for (const name of NAMES) deployments.push(await subjects.start(name, simulation));
    // Do not count the first run: it compiles the code of the simulation, which all deployments share.
    await deployments[0].run();
    for (let round = 0; round < rounds; round++) {
      for (const deployment of deployments) {
        await deployment.makeCold();
        subjects.claimMemory();
        runs.get(deployment.name as DeploymentName)?.push(await deployment.run());
        if (deployment.name === 'sliced') ideals.push(await idealMs(deployment, subjects, simulation));
      }
      for (const deployment of deployments) await deployment.makeCold();
    }
  } finally {
    for (const deployment of deployments) await deployment.close();
  }
  const ms = (name: DeploymentName): number[] => (runs.get(name) ?? []).map((run) => run.ms);
  const ratio = (name: DeploymentName, to: readonly number[]): string =>
    formatSpread(spread(ms(name).map((value, round) => value / to[round])), 2);
  const rows = NAMES.map((name) => [
    name,
    formatSpread(spread(ms(name).map((value) => value / 1000)), 1),
    ratio(name, ms('whole')),
    ratio(name, ideals),
    formatSpread(spread(ms('naive').map((naive, round) => naive / ms(name)[round])), 1),
  ]);
  const peaks = (name: DeploymentName): number[][] =>
    (runs.get(name) ?? []).map(({ timings }) => timings.map((timing) => timing.peakMemoryBytes));
  const highest = (name: DeploymentName): number[] =>
    subjects.plan.slices.map((_, slice) => Math.max(...peaks(name).map((run) => run[slice])));
  return {
    table: formatTable(
      ['cold run', 's', 'ratio to whole', 'ratio to ideal', 'times faster than naive'],
      rows,
    ),
    peaks: highest('sliced'),
    peaksAlone: highest('sliced, no warm-up'),
    wholePeak: Math.max(...peaks('whole').flat()),
  };
}

/**
 * Milliseconds of an ideal cold run: the download of the largest slice, the sessions' times in a warm run, two first-byte
 * latencies for each cut, and the transitions between states.
 */
async function idealMs(
  deployment: Deployment,
  subjects: Subjects,
  { network, transitionMs = 0 }: Simulation & { readonly network: NetworkShape },
): Promise<number> {
  const { timings } = await deployment.run();
  const download = (Math.max(...subjects.sliceBytes) / network.functionBytesPerSecond) * 1000;
  const runs = timings.reduce((sum, { runMs }) => sum + runMs, 0);
  const slices = timings.length;
  return download + runs + 2 * (slices - 1) * network.firstByteMs + slices * transitionMs;
}
