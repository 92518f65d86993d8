/** Nodes with bodies, and calls of local functions. The shapes inside are unknown. */
import { type WorkNode, movedBytes, totalBytes } from './node-tensors';
import { BANDWIDTH, NODE_OVERHEAD } from './reference-processor';

/** Nodes inside, and bytes of weights inside. */
export interface BodySize {
  readonly nodes: number;
  readonly heldBytes: number;
}

/** An `If` runs one of its two bodies, and which one depends on data. */
const BRANCHES = 2;

/**
 * Seconds of one pass over the bodies. The number of trips of a `Loop` or `Scan` depends on data: one is counted. Of an `If`,
 * half of both branches is counted. A pass reads each weight inside, and each weight of the graph that it uses, once, as a
 * product with one row does; larger batches take longer.
 */
export function bodySeconds(work: WorkNode, { nodes, heldBytes }: BodySize): number {
  const weights = heldBytes + totalBytes(work.captures.filter(({ isWeight }) => isWeight));
  const all = nodes * NODE_OVERHEAD + weights / BANDWIDTH.weights;
  const pass = work.node.opType === 'If' && work.node.domain === '' ? all / BRANCHES : all;
  return pass + movedBytes(work) / BANDWIDTH.copy;
}
