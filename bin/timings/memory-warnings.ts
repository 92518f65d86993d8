/** Says which slices used more memory than their functions have on AWS, or almost. */
import type { CallTiming } from '../../contract/execution';
import { printLine } from '../terminal/print';

/** Lambda's MB. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const MEGABYTE = 2 ** 20;

/** From this share of a function's memory on, another request or another processor may need all of it. */
const CLOSE = 0.9;

/** A line for each slice whose peak is above or close to its function's memory. */
export function memoryWarnings(
  timings: readonly Pick<CallTiming, 'slice' | 'whole' | 'peakMemoryBytes' | 'memoryMb'>[],
): string[] {
  return timings.flatMap(({ slice, whole, peakMemoryBytes, memoryMb: limit }) => {
    if (peakMemoryBytes <= CLOSE * limit * MEGABYTE) return [];
    // A peak just above the memory must not read like the memory.
    const peak = Math.ceil(peakMemoryBytes / MEGABYTE);
    const subject = whole ? 'the whole model' : `slice ${slice}`;
    return [`${subject} peaked at ${peak} MB, and its function has ${limit} MB: raise its memorySize`];
  });
}

export function warnOfMemory(timings: readonly CallTiming[]): void {
  for (const warning of memoryWarnings(timings)) printLine(`warning: ${warning}`);
}
