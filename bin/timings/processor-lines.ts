/** Says on which processors the functions of a run computed. */
import { processorsOf } from '../../client/read-results';
import type { CallTiming } from '../../contract/execution';
import { printable } from '../../lib/errors';

/** One line; none if the pipeline does not say it. */
export function processorLines(timings: readonly CallTiming[]): string[] {
  const processors = processorsOf(timings);
  if (processors.length < 2) return processors.map((processor) => `processor: ${printable(processor)}`);
  const places = processors.map((processor) => {
    const slices = timings.filter((timing) => timing.processor === processor).map(({ slice }) => slice);
    return `${printable(processor)} (${slices.length === 1 ? 'slice' : 'slices'} ${slices.join(', ')})`;
  });
  return [
    `slices ran on several processors: ${places.join(', ')}; the last bits may differ from those of the whole model on each of them`,
  ];
}
