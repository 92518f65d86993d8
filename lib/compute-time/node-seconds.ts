/** Estimates how long each node computes, from its operator and the shapes of its tensors. */
import type { FunctionNode, LocalFunction, Model, Node } from '../onnx/model';
import { callKey, functionsByKey } from '../onnx/local-functions';
import type { BodyNode } from '../shapes/data-sizes';
import type { ValueTypes } from '../shapes/value-types';
import { convolutionSeconds } from './convolutions';
import { attentionSeconds, recurrentSeconds } from './layers';
import { type Weights, productNodeSeconds } from './products';
import * as kernels from './kernels';
import { type ClassFactors, kernelClassOf } from './kernel-class';
import { type WorkNode, totalBytes, workOf, workOfBody } from './node-tensors';
import families from './operator-families.json';
import { CACHE_BYTES, NODE_OVERHEAD } from './lambda-vcpu';

/** By node of the graph that is cut: seconds on one thread on one vCPU of Lambda. */
export type NodeSeconds = readonly number[];

export interface NodeSecondsOptions {
  /** Whether weights are rewritten for the kernels when a session is created. @default true */
  readonly prepacking?: boolean;
  /** What the times on an x86_64 vCPU are multiplied with, such as for arm64. @default - nothing */
  readonly factors?: ClassFactors | undefined;
  /** By node: the nodes of its bodies that ran, if that is known. @default - one pass over all of them */
  readonly bodies?: readonly (readonly BodyNode[] | undefined)[] | undefined;
}

/** @param types with the planned sizes in all shapes; a size that is unknown counts as 1 */
export function nodeSeconds(
  model: Model,
  types: ValueTypes,
  { prepacking = true, factors, bodies = [] }: NodeSecondsOptions = {},
): NodeSeconds {
  const all = workOf(model.graph, types);
  const insideOf = bodySizes(functionsByKey(model));
  const weightsOf = (work: readonly WorkNode[]): Weights => ({
    prepacking,
    areCached: productWeightBytes(work) <= CACHE_BYTES.weights,
  });
  const weights = weightsOf(all);
  const bodySecondsOfRun = (body: readonly BodyNode[]): number => {
    const work = body.map(workOfBody);
    const own = weightsOf(work);
    return work.reduce((sum, each, index) => {
      const factor = factors?.[kernelClassOf(each, isProduct(each.node))] ?? 1;
      return sum + body[index].count * secondsOf(each, undefined, own) * factor;
    }, 0);
  };
  return all.map((work, index) => {
    const { operators } = model.graph.nodes[index];
    const factor = factors?.[kernelClassOf(work, operators.some(isProduct))] ?? 1;
    const body = bodies[index];
    if (body === undefined) return secondsOf(work, insideOf(model.graph.nodes[index]), weights) * factor;
    const passes = body.reduce((sum, { count }) => sum + count, 0) / body.length;
    return NODE_OVERHEAD + bodySecondsOfRun(body) + kernels.carryingSeconds(work, passes) * factor;
  });
}

function isProduct({ opType }: Pick<Node, 'opType'>): boolean {
  return PRODUCTS.has(familyOf(opType));
}

/** Of a weight that several nodes use, each use counts. */
function productWeightBytes(all: readonly WorkNode[]): number {
  return all
    .filter(({ node }) => PRODUCTS.has(familyOf(node.opType)))
    .reduce((sum, { inputs }) => sum + totalBytes(inputs.filter((input) => input?.isWeight)), 0);
}

function secondsOf(work: WorkNode, inside: kernels.BodySize | undefined, weights: Weights): number {
  // ONNX Runtime turns these nodes into initializers when it loads a graph.
  if (work.node.opType === 'Constant' && work.node.domain === '') return 0;
  if (inside !== undefined) return NODE_OVERHEAD + kernels.bodySeconds(work, inside);
  return NODE_OVERHEAD + KERNEL_SECONDS[familyOf(work.node.opType)](work, weights);
}

/** By family of operators; `other` is for operators that `operator-families.json` does not have. */
const KERNEL_SECONDS = {
  product: productNodeSeconds,
  convolution: convolutionSeconds,
  recurrent: recurrentSeconds,
  attention: attentionSeconds,
  elementwise: kernels.elementwiseSeconds,
  movement: kernels.movementSeconds,
  reduction: kernels.reductionSeconds,
  pooling: kernels.poolingSeconds,
  view: () => 0,
  body: kernels.elementwiseSeconds,
  other: kernels.elementwiseSeconds,
} satisfies Record<string, (work: WorkNode, weights: Weights) => number>;

const PRODUCTS: ReadonlySet<string> = new Set<Family>(['product', 'convolution', 'recurrent', 'attention']);

type Family = keyof typeof KERNEL_SECONDS;

function bodySizes(
  functions: ReadonlyMap<string, LocalFunction>,
): (node: Node) => kernels.BodySize | undefined {
  const known = new Map<LocalFunction, kernels.BodySize>();
  const sizeOf = (fn: LocalFunction): kernels.BodySize => {
    const found = known.get(fn);
    if (found !== undefined) return found;
    const inner = fn.nodes.map(({ use }: FunctionNode) => functions.get(callKey(use)));
    const size = inner.reduce<kernels.BodySize>(
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
