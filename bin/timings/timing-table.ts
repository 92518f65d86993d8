/** What each slice of a run took and moved, as a table. */
import type { SliceTiming } from '../../contract/execution';
import { formatBytes, formatTable } from '../terminal/format';

/** @param label names the row of each timing; by default its place */
export function timingTable(
  timings: readonly SliceTiming[],
  label = (index: number): string => String(index),
): string {
  return formatTable(
    ['slice', 'weights', 'load ms', 'read ms', 'run ms', 'write ms', 'read', 'written', 'peak memory'],
    timings.map((timing, index) => [
      label(index),
      formatBytes(timing.weightBytes),
      loadColumn(timing),
      timing.readMs.toFixed(0),
      timing.runMs.toFixed(0),
      timing.writeMs.toFixed(0),
      formatBytes(timing.bytesRead),
      formatBytes(timing.bytesWritten),
      formatBytes(timing.peakMemoryBytes),
    ]),
  );
}

/** A load in a warm-up took place while earlier slices ran. */
function loadColumn({ cold, warmedUp, loadMs }: SliceTiming): string {
  if (!cold) return 'warm';
  return warmedUp ? `${loadMs.toFixed(0)} (warm-up)` : loadMs.toFixed(0);
}
