/** What each slice of a run took and moved, as a table. */
import type { SliceTiming } from '../lambda/contract';
import { formatBytes, formatTable } from './format';

/** @param label names the row of each timing; by default its place */
export function timingTable(
  timings: readonly SliceTiming[],
  label = (index: number): string => String(index),
): string {
  return formatTable(
    ['slice', 'weights', 'cold load ms', 'run ms', 'read', 'written', 'peak memory'],
    timings.map((timing, index) => [
      label(index),
      formatBytes(timing.weightBytes),
      timing.cold ? timing.loadMs.toFixed(0) : 'warm',
      timing.runMs.toFixed(0),
      formatBytes(timing.bytesRead),
      formatBytes(timing.bytesWritten),
      formatBytes(timing.peakMemoryBytes),
    ]),
  );
}
