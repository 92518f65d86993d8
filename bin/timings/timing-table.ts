/** Formats the timings of a run as a table with one row per slice. */
import type { CallTiming } from '../../contract/execution';
import { formatBytes, formatTable } from '../terminal/format';

export function timingTable(timings: readonly CallTiming[]): string {
  return formatTable(
    ['slice', 'weights', 'load ms', 'read ms', 'run ms', 'write ms', 'read', 'written', 'peak memory'],
    timings.map((timing) => [
      String(timing.slice ?? 'whole'),
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

/** A slice that was loaded by a warm-up was loaded while earlier slices ran. */
function loadColumn({ cold, warmedUp, loadMs }: CallTiming): string {
  if (!cold) return 'warm';
  return warmedUp ? `${loadMs.toFixed(0)} (warm-up)` : loadMs.toFixed(0);
}
