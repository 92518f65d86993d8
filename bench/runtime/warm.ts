/** What a warm call takes besides ONNX Runtime's own run. */
import { formatTable } from '../../bin/format';
import type { Deployment } from './deployment';
import type { Subjects } from './subjects';

/** Without warm-ups, which would compete for this machine's processors with the slice that runs. */
export async function benchWarm(subjects: Subjects, rounds: number): Promise<string> {
  const deployment = await subjects.start('sliced, no warm-up', {});
  const whole = await subjects.start('whole', {});
  try {
    for (const each of [deployment, whole]) {
      await each.run();
      await each.run();
    }
    const outside: number[][] = subjects.plan.slices.map(() => []);
    const wholeOutside: number[] = [];
    let loads = 0;
    for (let round = 0; round < rounds; round++) {
      const { timings } = await deployment.run();
      loads += timings.filter(({ cold }) => cold).length;
      outsideOf(deployment, timings).forEach((value, slice) => outside[slice].push(value));
      wholeOutside.push(...outsideOf(whole, (await whole.run()).timings));
    }
    const rows = [
      ...outside.map((values, slice) => [`slice ${slice}`, ...percentiles(values)]),
      ['all slices', ...percentiles(outside.flat())],
      ['the whole model', ...percentiles(wholeOutside)],
    ];
    const table = formatTable(['warm calls, unshaped', 'p50 ms', 'p95 ms', 'highest ms'], rows);
    return `${table}\ncalls that loaded weights: ${loads} of ${rounds * outside.length}`;
  } finally {
    await deployment.close();
    await whole.close();
  }
}

/** From the state machine's call to its answer, less what ONNX Runtime took. */
function outsideOf({ trace }: Deployment, timings: readonly { readonly runMs: number }[]): number[] {
  const started = new Map<string, number>();
  const outside: number[] = [];
  for (const { type, state, time } of trace) {
    if (type === 'TaskStarted') started.set(state, time);
    const slice = Number(/^Slice (\d+)$/.exec(state)?.at(1));
    if (type === 'TaskSucceeded' && !Number.isNaN(slice))
      outside[slice] = time - (started.get(state) ?? NaN) - timings[slice].runMs;
  }
  return outside;
}

function percentiles(values: readonly number[]): string[] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1);
  return [at(0.5), at(0.95), at(1)];
}
