/** Which part of a weight a run reads. The rest of a mapped file takes no memory. */
import type { Dataflow } from './dataflow';

/** Operators that read only some rows of their first input. */
const PICKS_ROWS = new Set(['Gather', 'GatherElements', 'GatherND', 'Slice']);

/**
 * Linux maps up to this many bytes around a page that is read for the first time, if they are in its cache. Measured with
 * Linux 6.18 on ext4, which caches large files in pieces of 2 MiB; on tmpfs it maps 64 KiB. The rows of a table are read one
 * here and one there.
 */
const MAPPED_AROUND = 2 * 2 ** 20;

/**
 * By initializer: the bytes that a run touches.
 *
 * @param initializerBytes by initializer
 * @param valueBytes by value
 */
export function touchedBytes(
  { model, needs, isLive }: Dataflow,
  initializerBytes: readonly number[],
  valueBytes: readonly number[],
): number[] {
  const { initializers, nodes, values } = model.graph;
  const picked = new Float64Array(initializers.length);
  for (const { index, opType, inputs, outputs } of nodes) {
    if (!isLive[index]) continue;
    for (const value of needs[index]) {
      const { initializer } = values[value];
      if (initializer === undefined) continue;
      const picksRows =
        PICKS_ROWS.has(opType) && inputs.indexOf(value) === 0 && inputs.lastIndexOf(value) === 0;
      const { dims } = initializers[initializer].tensor;
      const rowBytes = initializerBytes[initializer] / Math.max(1, dims.at(0) ?? 1);
      const rows = valueBytes[outputs[0]] / Math.max(1, rowBytes);
      picked[initializer] += picksRows ? rows * (rowBytes + MAPPED_AROUND) : Infinity;
    }
  }
  return initializerBytes.map((bytes, initializer) => Math.min(bytes, picked[initializer]));
}
