/** Estimates how long each node computes: from a profile, or from its operator and the shapes of its tensors. */
import type { FunctionNode, LocalFunction, Model, Node } from '../onnx/model';
import { callKey, functionsByKey } from '../onnx/local-functions';
import type { ValueTypes } from '../shapes/value-types';
import { attentionSeconds } from './attention';
import { type BodySize, bodySeconds } from './bodies';
import { convolutionSeconds } from './convolutions';
import { elementwiseSeconds } from './elementwise';
import { type Family, familyOf } from './families';
import { movementSeconds } from './movement';
import { type WorkNode, TensorTable, movedBytes } from './node-tensors';
import { productNodeSeconds } from './products';
import type { ModelProfile } from './profile/profile';
import { profiledWork } from './profile/profiled-model';
import { recurrentSeconds } from './recurrent';
import { poolingSeconds, reductionSeconds } from './reductions';
import { BANDWIDTH, NODE_OVERHEAD } from './reference-processor';

/**
 * By node of the graph that is cut: seconds on one thread of the reference processor. Divide them by the speed of one vCPU of
 * Lambda, which the model of cost has, relative to that processor.
 */
export type NodeSeconds = readonly number[];

/**
 * @param types with the planned sizes in all shapes; a size that is unknown counts as 1
 * @param profile of this graph; it is used instead of the operators and shapes
 */
export function nodeSeconds(model: Model, types: ValueTypes, profile?: ModelProfile): NodeSeconds {
  if (profile !== undefined) return profiledWork(profile);
  const table = new TensorTable(model.graph, types);
  const functions = functionsByKey(model);
  const insideOf = bodySizes(functions);
  return model.graph.nodes.map((node) => secondsOf(table.of(node), insideOf(node)));
}

/** @param inside of a node with bodies or a call of a local function */
function secondsOf(work: WorkNode, inside: BodySize | undefined): number {
  // ONNX Runtime turns these nodes into initializers when it loads a graph.
  if (work.node.opType === 'Constant' && work.node.domain === '') return 0;
  if (inside !== undefined) return NODE_OVERHEAD + bodySeconds(work, inside);
  return NODE_OVERHEAD + KERNEL_SECONDS[familyOf(work.node.opType)](work);
}

const unknownSeconds = (work: WorkNode): number => movedBytes(work) / BANDWIDTH.elementwise;

/** By family: the seconds of its kernels. */
const KERNEL_SECONDS: Readonly<Record<Family, (work: WorkNode) => number>> = {
  product: productNodeSeconds,
  convolution: convolutionSeconds,
  recurrent: recurrentSeconds,
  attention: attentionSeconds,
  elementwise: elementwiseSeconds,
  movement: movementSeconds,
  reduction: reductionSeconds,
  pooling: poolingSeconds,
  view: () => 0,
  body: unknownSeconds,
  other: unknownSeconds,
};

/** The nodes and the weights inside a node; `undefined` if there are none. */
function bodySizes(functions: ReadonlyMap<string, LocalFunction>): (node: Node) => BodySize | undefined {
  const known = new Map<LocalFunction, BodySize>();
  const sizeOf = (fn: LocalFunction): BodySize => {
    const found = known.get(fn);
    if (found !== undefined) return found;
    const inner = fn.nodes.map(({ use }: FunctionNode) => functions.get(callKey(use)));
    const size = inner.reduce<BodySize>(
      (sum, callee) => {
        const own = callee === undefined ? { nodes: 1, heldBytes: 0 } : sizeOf(callee);
        return { nodes: sum.nodes + own.nodes, heldBytes: sum.heldBytes + own.heldBytes };
      },
      { nodes: 0, heldBytes: fn.heldBytes },
    );
    known.set(fn, size);
    return size;
  };
  return ({ operators, heldBytes }) => {
    const own = operators.at(-1);
    const called = own === undefined ? undefined : functions.get(callKey(own));
    if (called !== undefined) return sizeOf(called);
    // The last use is that of the node itself, the others are those of its bodies.
    return operators.length > 1 ? { nodes: operators.length - 1, heldBytes } : undefined;
  };
}
