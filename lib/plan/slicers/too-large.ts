/** The error of a slice that no legal cut makes small enough. The compiler may split an operator of it. */
import { SlicedInferenceError } from '../../errors';
import { type NodeIndex, nodeLabel } from '../../onnx/model';
import type { CutSpace } from '../cuts/cuts';
import { type Range, sizeOfRange } from '../cuts/range-sizes';
import type { SizeLimit } from '../search/cut-graph';
import type { SliceSize } from '../sizes/estimate';

/** Nodes that no cut separates, and that exceed the limit. */
export interface Oversized {
  readonly nodes: readonly NodeIndex[];
  readonly size: SliceSize;
}

export class SliceTooLargeError extends SlicedInferenceError {
  constructor(
    readonly space: CutSpace,
    range: Range,
    readonly limit: SizeLimit,
    size: SliceSize,
    where = '',
  ) {
    const { limit: text, got, advice } = limit.describe(size);
    super(`each slice must ${text}`, `${got}${where}`, advice);
    this.oversized = { nodes: space.dataflow.order.slice(range.start, range.end), size };
  }

  readonly oversized: Oversized;

  static of(space: CutSpace, { start, end }: Range, limit: SizeLimit, size: SliceSize): SliceTooLargeError {
    const { order, model } = space.dataflow;
    const first = nodeLabel(model.graph.nodes[order[start]]);
    const nodes =
      end - start === 1 ? first : `the ${end - start} nodes from ${first} on, which no legal cut separates`;
    return new SliceTooLargeError(space, { start, end }, limit, size, ` for ${nodes}`);
  }

  /** The same error with more about the nodes and what to do. @param least the size that a higher limit must allow */
  with(reason: string, more: string, least = this.oversized.size): SlicedInferenceError {
    const { limit: text } = this.limit.describe(this.oversized.size);
    const { advice } = this.limit.describe(least);
    return new SlicedInferenceError(`each slice must ${text}`, `${this.got}${reason}`, `${advice}${more}`);
  }

  /** All nodes that exceed the limit alone, and that cuts separate from the others, so that they need not be found one error at a time. */
  others(mayBe: (node: NodeIndex) => boolean): Oversized[] {
    const { space, limit } = this;
    const { order } = space.dataflow;
    const cuts = new Set([0, ...space.legal, order.length]);
    return order.flatMap((node, position) => {
      if (!mayBe(node) || !cuts.has(position) || !cuts.has(position + 1)) return [];
      const size = sizeOfRange(space, position, position + 1);
      return limit.fits(size) || !limit.isHopeless(size) ? [] : [{ nodes: [node], size }];
    });
  }
}
