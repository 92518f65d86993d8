/**
 * Finds the casts of a model as ONNX Runtime sees them. ONNX Runtime merges a cast with a cast that follows it even with
 * optimization off. It does so after it has replaced calls of functions by the nodes of the functions, and it also treats
 * some standard operators as functions.
 */
import { callKey, functionsByKey } from '../onnx/local-functions';
import { type Graph, type Model, type Node, type ValueIndex, OMITTED } from '../onnx/model';
import type { NodeValues } from './needs';

type CastPlaces = Pick<Node, 'inputs' | 'outputs'>;

/** Standard operators that are casts, or that ONNX Runtime may replace by functions that begin with a cast. */
const OPERATORS: ReadonlyMap<string, readonly ('input' | 'output')[]> = new Map([
  ['Cast', ['input', 'output']],
  ['CastLike', ['input', 'output']],
  ['GroupNormalization', ['input']],
  ['RMSNormalization', ['input']],
]);

/**
 * The casts in a model's top-level nodes. ONNX Runtime does not merge casts in body graphs with casts outside. Each call of a function
 * counts as one, because the function may begin or end with casts.
 */
export class Casts {
  /** By node: its inputs that go into a cast. */
  readonly castInputs: NodeValues;
  /** Values that come from one cast and go into another. */
  readonly betweenCasts: ReadonlySet<ValueIndex>;

  constructor(model: Model) {
    const functions = functionsByKey(model);
    const { nodes } = model.graph;
    const placesOf = (node: Node): CastPlaces => {
      // The node's own operator comes after those of its body graphs.
      if (functions.has(callKey(node.operators[node.operators.length - 1]))) return node;
      const places = node.domain === '' ? OPERATORS.get(node.opType) : undefined;
      return {
        inputs: places?.includes('input') ? node.inputs.slice(0, 1) : [],
        outputs: places?.includes('output') ? node.outputs.slice(0, 1) : [],
      };
    };
    const places = nodes.map(placesOf);
    this.castInputs = places.map(({ inputs }) => inputs.filter((value) => value !== OMITTED));
    const castOutputs = new Set(places.flatMap(({ outputs }) => outputs));
    this.betweenCasts = new Set(this.castInputs.flat().filter((value) => castOutputs.has(value)));
  }
}

/**
 * Values between casts that are outputs of the model or that a node other than a cast uses. ONNX Runtime drops the first
 * of two casts in a row if only casts use its result; a slice without the other user would lose that cast.
 */
export function pinnedValues(
  graph: Graph,
  needs: NodeValues,
  { betweenCasts, castInputs }: Casts,
): Set<ValueIndex> {
  const results = graph.outputs.map(({ value }) => value);
  const pinned = new Set(results.filter((value) => betweenCasts.has(value)));
  for (const { index } of graph.nodes) {
    for (const value of needs[index]) {
      if (betweenCasts.has(value) && !castInputs[index].includes(value)) pinned.add(value);
    }
  }
  return pinned;
}

/**
 * Arithmetic on shapes, positions and masks. Each of these operators takes about as long as writing its result, far less
 * than passing the result through S3. No result depends on the order of additions or on how the inputs were computed.
 */
const CHEAP_OPERATORS = new Set(
  `Shape Size ConstantOfShape Range EyeLike Trilu Identity Cast Reshape Flatten Squeeze Unsqueeze
  Transpose Expand Tile Concat Split Pad Slice Gather GatherElements GatherND OneHot Where Equal
  Less LessOrEqual Greater GreaterOrEqual And Or Xor Not IsInf IsNaN Add Sub Mul Div Mod Neg Abs
  Sign Min Max Clip Floor Ceil Round`.split(/\s+/),
);

export function cheapNodes(model: Model, { betweenCasts }: Casts): boolean[] {
  // How ONNX Runtime computes a float16 value depends on the neighbors of the value.
  if (model.usesFloat16) return model.graph.nodes.map(() => false);
  return model.graph.nodes.map(
    ({ domain, opType, inputs, outputs }) =>
      domain === '' &&
      CHEAP_OPERATORS.has(opType) &&
      ![...inputs, ...outputs].some((value) => betweenCasts.has(value)),
  );
}

/**
 * By node: whether an output needs it. A cast of a cast counts as needed: whether ONNX Runtime merges two casts depends on all users
 * of the value between them.
 */
export function liveNodes(graph: Graph, needs: NodeValues, { betweenCasts, castInputs }: Casts): boolean[] {
  const live = new Array<boolean>(graph.nodes.length).fill(false);
  const results = graph.outputs.map(({ value }) => value);
  markProducers(graph, needs, results, live);
  for (const { index } of graph.nodes) {
    if (live[index] || !castInputs[index].some((value) => betweenCasts.has(value))) continue;
    live[index] = true;
    markProducers(graph, needs, needs[index], live);
  }
  return live;
}

function markProducers(
  graph: Graph,
  needs: NodeValues,
  values: readonly ValueIndex[],
  live: boolean[],
): void {
  const pending = [...values];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    const { producer } = graph.values[value];
    if (producer === undefined || live[producer]) continue;
    live[producer] = true;
    for (const needed of needs[producer]) pending.push(needed);
  }
}
