/**
 * Finds the shapes that slices may declare. ONNX Runtime refuses a tensor of another shape than declared, so these shapes must
 * be right in every run in which the whole model runs. Shapes for planning, which `infer.ts` finds, need not be.
 */
import type { Dimension } from '../../contract/tensors';
import { ChildError } from '../host/run-child';
import { isBindable, onnxDataType } from '../onnx/data-type';
import { functionsByKey, callKey, calledFunctions } from '../onnx/local-functions';
import * as onnx from '../onnx/model';
import { askOnnxRuntime } from './infer';
import { ranksByRule } from './rank-rules';
import { type GivenTypes, buildFoldable } from './skeleton';
import { type ValueTypes, givenType } from './value-types';
import { nodeAttributes } from '../onnx/node-attributes';

/** By value: its shape, or `null` if not even its rank is proven. A size that is not proven is `null`. */
export type ProvenShapes = readonly (readonly Dimension[] | null)[];

/** Each round asks ONNX Runtime once more. */
const MAX_ROUNDS = 4;

/** Prefix of the names that ONNX Runtime invents. It would use the same names for other sizes of a slice. */
const INVENTED = 'unk__';

/** Operators whose body may have no nodes. */
const BODY_OPERATORS = new Set(['If', 'Loop', 'Scan', 'SequenceMap']);

/**
 * Asks ONNX Runtime, which then knows:
 *
 * - the declared shapes of the inputs, because each run must comply with them, and what follows from constants alone
 * - the name of a size only if the inputs declare it once, because equal names may stand for different sizes
 * - not what body graphs and functions declare about their values: ONNX Runtime believes it without checking
 * - of the results of nodes that round sizes, only the rank; see `uncertainNodes`
 *
 * `rank-rules.ts` finds further ranks, from which ONNX Runtime infers more.
 *
 * @param nodesInOrder all nodes in a topological order
 * @param isLive by node: whether ONNX Runtime runs it; the others prove nothing about their inputs
 */
export function provenShapes(
  { model, types }: { readonly model: onnx.Model; readonly types: ValueTypes },
  nodesInOrder: readonly onnx.NodeIndex[],
  isLive: readonly boolean[],
): ProvenShapes {
  const { graph } = model;
  const results = shapesOfResults(model, nodesInOrder, isLive, types);
  const names = uniqueNames(model);
  return graph.values.map((_, value) => {
    const shape = givenType(graph, value)?.shape ?? results.get(value);
    return (
      shape?.map((dimension) => (typeof dimension === 'number' || names.has(dimension) ? dimension : null)) ??
      null
    );
  });
}

type Shapes = ReadonlyMap<onnx.ValueIndex, readonly Dimension[] | null>;

type Ask = (given: GivenTypes) => Shapes | undefined;

function shapesOfResults(
  model: onnx.Model,
  nodesInOrder: readonly onnx.NodeIndex[],
  isLive: readonly boolean[],
  types: ValueTypes,
): Shapes {
  const ask = asker(model, nodesInOrder);
  const uncertain = uncertainNodes(model);
  const withBodies = new Set(nodesWithBodies(model));
  // If all ranks are known and there are no bodies and functions, `types` has all that slices may declare.
  const isOpen = withBodies.size > 0 || types.some(({ shape }) => shape === null);
  const first = isOpen ? ask(new Map()) : new Map(types.map(({ shape }, value) => [value, shape]));
  // ONNX Runtime may refuse a body without its declarations: then the results of such nodes are unknown.
  const opaque = first === undefined ? [...new Set([...uncertain, ...withBodies])] : uncertain;
  const given = ranksOf(opaque, types, (value) => first?.get(value)?.length);
  const ruled = model.graph.nodes.filter(
    (node) => isLive[node.index] && node.domain === '' && !withBodies.has(node),
  );
  const shapes = (given.size === 0 ? first : ask(given)) ?? new Map<onnx.ValueIndex, null>();
  return withRuledRanks(model, ruled, types, ask, { given, shapes });
}

/** Asks no more once ONNX Runtime has hung: it would hang again. */
function asker(model: onnx.Model, nodesInOrder: readonly onnx.NodeIndex[]): Ask {
  const question = { sizes: {}, foldsConstants: true, bodyTypes: 'dropped', isScalar: () => false } as const;
  let isExpired = false;
  return (given) => {
    if (isExpired) return undefined;
    const skeleton = buildFoldable(model, nodesInOrder, {}, given);
    const answer = askOnnxRuntime(model, skeleton, question);
    isExpired = answer instanceof ChildError && answer.failure === 'timeout';
    if (answer instanceof ChildError) return undefined;
    return new Map([
      ...[...given].map(([value, { shape }]) => [value, shape ?? null] as const),
      ...skeleton.exposed.map((value, place) => [value, answer[place].shape] as const),
    ]);
  };
}

/** Asks again with each rank that the rules prove, until they prove none. */
function withRuledRanks(
  model: onnx.Model,
  ruled: readonly onnx.Node[],
  types: ValueTypes,
  ask: Ask,
  start: { readonly given: GivenTypes; readonly shapes: Shapes },
): Shapes {
  const { graph } = model;
  let { given, shapes } = start;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const known = shapes;
    const shapeOf = (value: onnx.ValueIndex): readonly Dimension[] | null =>
      givenType(graph, value)?.shape ?? known.get(value) ?? null;
    const ranks = ranksByRule(ruled, shapeOf, (node) => nodeAttributes(model, node).get('perm')?.integers);
    const holders = graph.nodes.filter(({ outputs }) => outputs.some((output) => ranks.has(output)));
    if (holders.length === 0) break;
    given = new Map([
      ...given,
      ...ranksOf(holders, types, (value) => shapeOf(value)?.length ?? ranks.get(value)),
    ]);
    // ONNX Runtime may also refuse a shape without sizes. Then the earlier answer is all that is known.
    const next = ask(given);
    if (next === undefined) break;
    shapes = next;
  }
  return shapes;
}

/** The types of the nodes' results, without sizes. */
function ranksOf(
  nodes: readonly onnx.Node[],
  types: ValueTypes,
  rankOf: (value: onnx.ValueIndex) => number | undefined,
): GivenTypes {
  const outputs = nodes.flatMap((node) => node.outputs.filter((output) => output !== onnx.OMITTED));
  return new Map(
    outputs.flatMap((value) => {
      const { dtype } = types[value];
      // Without an input in its place, ONNX Runtime refuses the users of a sequence, and nothing is known.
      if (dtype === undefined || !isBindable(dtype)) return [];
      const rank = rankOf(value);
      const shape = rank !== undefined && new Array<null>(rank).fill(null);
      return [[value, { dataType: onnxDataType(dtype), ...(shape && { shape }) }] as const];
    }),
  );
}

function nodesWithBodies(model: onnx.Model): onnx.Node[] {
  const functions = functionsByKey(model);
  return model.graph.nodes.filter(
    ({ opType, operators }) =>
      BODY_OPERATORS.has(opType) ||
      operators.length > 1 ||
      operators.some((use) => functions.has(callKey(use))),
  );
}

/** The names of sizes that the inputs declare once. Body graphs and functions may use the same names for other sizes. */
function uniqueNames(model: onnx.Model): ReadonlySet<Dimension> {
  if (nodesWithBodies(model).length > 0) return new Set();
  const names = model.graph.inputs.flatMap(({ type }) => type.shape ?? []);
  return new Set(
    names.filter(
      (name) =>
        typeof name === 'string' &&
        !name.startsWith(INVENTED) &&
        names.indexOf(name) === names.lastIndexOf(name),
    ),
  );
}

/**
 * Operators whose kernels may round otherwise than their inference, so that a size is off by one: pooling with `ceil_mode`
 * or with `auto_pad` SAME, `ConvTranspose` with `auto_pad` SAME, and `Resize` and `Upsample` by scales. Only these
 * differed in random nodes of operators that compute sizes (`test/lib/shapes/proven-shapes.test.ts`), and in none of the node
 * tests of ONNX 1.23 did any.
 */
const ROUNDING = /^(?!Global|QLinearGlobal).*Pool|^ConvTranspose$|^Resize$|^Upsample$/i;

/** The place of `sizes` among the inputs of `Resize`. With `sizes`, nothing is rounded. */
const RESIZE_SIZES = 3;

/** The nodes that compute sizes by rounding. Those with such an operator in a body or a function count too. */
function uncertainNodes(model: onnx.Model): onnx.Node[] {
  return model.graph.nodes.filter((node) => {
    // The last operator is that of the node itself.
    const called = calledFunctions(model, [node]).flatMap(({ operators }) => operators);
    const inside = [...node.operators.slice(0, -1), ...called];
    return inside.some(mayRound) || (mayRound(node) && rounds(model, node));
  });
}

function mayRound({ opType }: Pick<onnx.OperatorUse, 'opType'>): boolean {
  return ROUNDING.test(opType);
}

function rounds(model: onnx.Model, node: onnx.Node): boolean {
  const { opType, inputs } = node;
  if (opType === 'Upsample') return true;
  if (opType === 'Resize') return (inputs.at(RESIZE_SIZES) ?? onnx.OMITTED) === onnx.OMITTED;
  const attributes = nodeAttributes(model, node);
  const pads = attributes.get('auto_pad')?.text ?? '';
  return pads.startsWith('SAME') || (attributes.get('ceil_mode')?.integer ?? 0) !== 0;
}
