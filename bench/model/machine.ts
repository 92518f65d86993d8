/** Measures what this machine takes for what the simulation does not delay. */
import * as os from 'node:os';
import { spread } from '../measure';
import { startProbe } from '../runtime/subjects';
import type { FullSimulation, Machine } from './simulated-environment';

/**
 * Processor time for each MB that a function loads over TLS: 3.2 x 1.29 in the function (docs/performance.md), and about as much in
 * the local S3, which encrypts what the function decrypts.
 */
const LOAD_MS_PER_MB = 8.3;

const STARTS = 5;

/** Elapsed time of the loop by which other programs are noticed, in milliseconds of processor time. */
const SPIN_MS = 60;

/** The machine as if it were idle: `slowdown` is 1. */
export async function machineOf(folder: string, simulation: FullSimulation): Promise<Machine> {
  const starts: number[] = [];
  const deployment = await startProbe(folder, {
    simulation,
    onLog: (_, line) => {
      const init = /Init Duration: ([\d.]+) ms/.exec(line);
      if (init !== null) starts.push(Number(init[1]));
    },
  });
  try {
    const slowdowns: number[] = [];
    for (let start = 0; start < STARTS; start++) {
      slowdowns.push(slowdown());
      await deployment.run();
      await deployment.makeCold();
    }
    const initMs = spread(starts.map((ms, start) => ms / slowdowns[start])).median;
    return { processors: os.availableParallelism(), initMs, loadMsPerMb: LOAD_MS_PER_MB, slowdown: 1 };
  } finally {
    await deployment.close();
  }
}

/** How many times as long as its processor time a computation takes now, because other programs run too. */
export function slowdown(): number {
  const before = process.cpuUsage();
  const start = performance.now();
  let cpuMs = 0;
  for (let sum = 1; cpuMs < SPIN_MS && sum > 0;) {
    for (let step = 0; step < 1e5; step++) sum = (sum * 31 + step) % 1_000_003 || 1;
    const { user, system } = process.cpuUsage(before);
    cpuMs = (user + system) / 1000;
  }
  return Math.max(1, (performance.now() - start) / cpuMs);
}
