/** Measures the time of a warm call without ONNX Runtime's own run. */
import type { Deployment } from '../deployment';
import { formatTable } from '../measure';
import type { Subjects } from './subjects';

export async function benchWarm(subjects: Subjects, rounds: number): Promise<string> {
  // Without warm-ups: they would compete with the running slice for this machine's processors.
  const sliced = await subjects.start('sliced, no warm-up', {});
  const warmedUp = await subjects.start('sliced', {});
  const whole = await subjects.start('whole', {});
  try {
    for (const each of [sliced, warmedUp, whole]) {
      await each.run();
      await each.run();
    }
    const outside: number[][] = subjects.plan.slices.map(() => []);
    const wholeOutside: number[] = [];
    const warmUps: number[] = [];
    const added: number[] = [];
    let loads = 0;
    for (let round = 0; round < rounds; round++) {
      const { timings } = await sliced.run();
      loads += timings.filter(({ cold }) => cold).length;
      outsideOf(sliced, timings).forEach((value, slice) => outside[slice].push(value));
      wholeOutside.push(...outsideOf(whole, (await whole.run()).timings));
    }
    for (let round = 0; round < rounds; round++) {
      const { ms } = await sliced.run();
      added.push((await warmedUp.run()).ms - ms);
      warmUps.push(...warmUpsOf(warmedUp));
    }
    const rows = [
      ...outside.map((values, slice) => [`slice ${slice}`, ...percentiles(values)]),
      ['all slices', ...percentiles(outside.flat())],
      ['the whole model', ...percentiles(wholeOutside)],
      [`a warm-up, ${outside.length - 1} at once while a slice runs`, ...percentiles(warmUps)],
      ['time that warm-ups add to a run', ...percentiles(added)],
    ];
    const table = formatTable(['warm calls, network not simulated', 'p50 ms', 'p95 ms', 'highest ms'], rows);
    return `${table}\ncalls that loaded weights: ${loads} of ${rounds * outside.length}`;
  } finally {
    for (const each of [sliced, warmedUp, whole]) await each.close();
  }
}

/** Milliseconds from the state machine's call to the answer, without ONNX Runtime's run, by slice. */
function outsideOf(deployment: Deployment, timings: readonly { readonly runMs: number }[]): number[] {
  const outside: number[] = [];
  for (const [state, ms] of callsOf(deployment)) {
    const slice = Number(/^Slice (\d+)$/.exec(state)?.at(1));
    if (!Number.isNaN(slice)) outside[slice] = ms - timings[slice].runMs;
  }
  return outside;
}

function warmUpsOf(deployment: Deployment): number[] {
  return [...callsOf(deployment)].filter(([state]) => state.startsWith('Warm-up ')).map(([, ms]) => ms);
}

/** Milliseconds of the last run's calls, by state. */
function callsOf({ trace }: Deployment): Map<string, number> {
  const started = new Map<string, number>();
  const calls = new Map<string, number>();
  for (const { type, state, time } of trace) {
    if (type === 'TaskStarted') started.set(state, time);
    if (type === 'TaskSucceeded') calls.set(state, time - (started.get(state) ?? NaN));
  }
  return calls;
}

function percentiles(values: readonly number[]): string[] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1);
  return [at(0.5), at(0.95), at(1)];
}
