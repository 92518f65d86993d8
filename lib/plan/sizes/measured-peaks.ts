/** Limits estimated activations by those that were measured for other slices of the same graph. */
import { largestOf, smallestOf } from '../../extremes';
import type { NodeIndex } from '../../onnx/model';
import type { SliceSize } from './estimate';

/** A slice that was measured. */
export interface MeasuredPeak {
  readonly nodes: readonly NodeIndex[];
  /** Peak of the memory that ONNX Runtime allocated in a run. */
  readonly activationBytes: number;
}

interface PeakOfRange {
  readonly start: number;
  readonly end: number;
  readonly activationBytes: number;
}

/**
 * A slice holds no more live tensors than a slice that contains it, and no fewer than a slice that it contains. So the measured
 * activations of a slice with the same nodes replace the estimate, and those of others limit it.
 */
export class MeasuredPeaks {
  private readonly positions: ReadonlyMap<NodeIndex, number>;
  private readonly ranges: readonly PeakOfRange[];

  /** @param order the order of nodes; a slice that is no range of it says nothing */
  constructor(order: readonly NodeIndex[], peaks: readonly MeasuredPeak[] = []) {
    this.positions = new Map(peaks.length === 0 ? [] : order.map((node, position) => [node, position]));
    this.ranges = peaks.flatMap(({ nodes, activationBytes }) => {
      const range = this.rangeOf(nodes);
      return range === undefined ? [] : [{ ...range, activationBytes }];
    });
  }

  /** @param end position after the last node of the slice */
  limited(size: SliceSize, start: number, end: number): SliceSize {
    let [least, most] = [0, Infinity];
    for (const range of this.ranges) {
      if (range.start <= start && end <= range.end) most = Math.min(most, range.activationBytes);
      if (start <= range.start && range.end <= end) least = Math.max(least, range.activationBytes);
    }
    const activationBytes = Math.min(Math.max(size.activationBytes, least), most);
    return activationBytes === size.activationBytes ? size : { ...size, activationBytes };
  }

  /** The same for a slice whose nodes need not be a range. */
  limitedOf(size: SliceSize, nodes: readonly NodeIndex[]): SliceSize {
    const range = this.rangeOf(nodes);
    return range === undefined ? size : this.limited(size, range.start, range.end);
  }

  /** `undefined` if the nodes are no range. Nodes that are repeated in each slice have no position. */
  private rangeOf(nodes: readonly NodeIndex[]): { start: number; end: number } | undefined {
    const places = nodes.flatMap((node) => this.positions.get(node) ?? []);
    if (places.length === 0) return undefined;
    const [start, end] = [smallestOf(places), largestOf(places) + 1];
    return end - start === new Set(places).size ? { start, end } : undefined;
  }
}
