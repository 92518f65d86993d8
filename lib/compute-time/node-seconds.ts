/** Estimates how long each node computes: from a profile, or from its operator and the shapes of its tensors. */
import type { FunctionNode, LocalFunction, Model, Node } from '../onnx/model';
import { callKey, functionsByKey } from '../onnx/local-functions';
import type { ValueTypes } from '../shapes/value-types';
import { attentionSeconds, productNodeSeconds, recurrentSeconds, convolutionSeconds } from './products';
import {
  type BodySize,
  bodySeconds,
  elementwiseSeconds,
  movementSeconds,
  poolingSeconds,
  reductionSeconds,
} from './kernels';
import { type WorkNode, movedBytes, workOf } from './node-tensors';
import { type ModelProfile, profiledWork } from './profile/profile';
import families from './operator-families.json';
import { BANDWIDTH, NODE_OVERHEAD } from './reference-processor';

/**
 * By node of the graph that is cut: seconds on one thread of the reference processor. Divide them by the speed of one vCPU of
 * Lambda, which the model of cost has, relative to that processor.
 */
export type NodeSeconds = readonly number[];

interface NodeSecondsOptions {
  readonly profile?: ModelProfile | undefined;
  readonly prepacking?: boolean;
  readonly iterations?: readonly (number | undefined)[] | undefined;
}

/**
 * @param types with the planned sizes in all shapes; a size that is unknown counts as 1
 * @param profile of this graph; it is used instead of the operators and shapes
 * @param prepacking whether weights are rewritten for the kernels when a session is created. @default true
 * @param iterations by node: how often its bodies run, if that is known
 */
export function nodeSeconds(
  model: Model,
  types: ValueTypes,
  { profile, prepacking = true, iterations = [] }: NodeSecondsOptions = {},
): NodeSeconds {
  if (profile !== undefined) return profiledWork(profile);
  const functions = functionsByKey(model);
  const insideOf = bodySizes(functions);
  return workOf(model.graph, types).map((work) => {
    const inside = insideOf(work.node);
    return secondsOf(work, inside && { ...inside, passes: iterations[work.node.index] }, prepacking);
  });
}

function secondsOf(work: WorkNode, inside: BodySize | undefined, prepacking: boolean): number {
  // ONNX Runtime turns these nodes into initializers when it loads a graph.
  if (work.node.opType === 'Constant' && work.node.domain === '') return 0;
  if (inside !== undefined) return NODE_OVERHEAD + bodySeconds(work, inside);
  return NODE_OVERHEAD + KERNEL_SECONDS[familyOf(work.node.opType)](work, prepacking);
}

const unknownSeconds = (work: WorkNode): number => movedBytes(work) / BANDWIDTH.elementwise;

/** By family of operators; `other` is for operators that `operator-families.json` does not have. */
const KERNEL_SECONDS = {
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
} satisfies Record<string, (work: WorkNode, prepacking: boolean) => number>;

type Family = keyof typeof KERNEL_SECONDS;

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

const FAMILIES: ReadonlyMap<string, Family> = new Map(
  Object.entries(families).flatMap(([family, operators]) =>
    operators.split(/\s+/).map((operator) => [operator, family as Family] as const),
  ),
);

function familyOf(opType: string): Family {
  return FAMILIES.get(opType) ?? 'other';
}
