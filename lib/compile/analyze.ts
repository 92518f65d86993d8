/** Everything that is known of a model before it is cut: data flow, types, sizes and legal cuts. */
import { SlicedInferenceError, quoted } from '../errors';
import { dataTypeName, isBindable } from '../onnx/data-type';
import { calledFunctions } from '../onnx/local-functions';
import type { Graph, GraphInput, Model, NodeIndex, SourceFile, Value } from '../onnx/model';
import { nodeLabel } from '../onnx/model';
import { parseModel } from '../onnx/parse';
import type { OptimizationLevel } from '../optimize/level';
import { UnloadableGraphError, optimize } from '../optimize/optimize';
import type { CutSpace } from '../plan/cuts/cuts';
import { crossingRule, unusableName } from '../dataflow/crossing';
import { findCuts } from '../plan/cuts/cuts';
import type { Dataflow } from '../dataflow/dataflow';
import { analyzeDataflow, nodesByRank, withRepeated } from '../dataflow/dataflow';
import { nodesToRepeat } from '../plan/cuts/rematerialize';
import { inferTypes } from '../shapes/infer';
import type { DimensionSizes, ValueTypes } from '../shapes/value-types';
import { plannedBytes, symbolicDimensions } from '../shapes/value-types';

export interface AnalyzedModel {
  /** The files of the model as it was given: its own first. */
  readonly source: readonly SourceFile[];
  /** The graph that is cut. */
  readonly model: Model;
  /** As if nothing but constants were computed in more than one slice. */
  readonly dataflow: Dataflow;
  /** Types with symbolic dimensions by name. */
  readonly types: ValueTypes;
  /** The cuts, where what is cheaper to compute again than to pass on does not cross them. */
  readonly cuts: CutSpace;
  readonly dimensions: DimensionSizes;
  readonly optimization: OptimizationLevel;
}

export interface AnalyzeOptions {
  /**
   * Sizes to plan symbolic dimensions with, by name.
   *
   * @default - 1 for each
   */
  readonly dimensions?: DimensionSizes;
  /**
   * How far ONNX Runtime optimizes the whole model before it is cut.
   *
   * @default 'none'
   */
  readonly optimization?: OptimizationLevel;
}

/**
 * @throws SlicedInferenceError for a model that cannot be read, run or cut exactly, and for unknown dimensions
 */
export function analyzeModel(modelPath: string, options: AnalyzeOptions = {}): AnalyzedModel {
  const { dimensions = {}, optimization = 'none' } = options;
  const source = parseModel(modelPath);
  checkDimensions(source, dimensions);
  checkSparseTensors(source);
  checkDeclarations(source);
  const { model, dataflow, types, nodesInOrder } = cuttableGraph(source, optimization);
  const plannedTypes =
    Object.keys(dimensions).length === 0 ? types : inferTypes(model, nodesInOrder, dimensions);
  checkSignature(model, types);
  const rule = crossingRule(model, types);
  const bytes = plannedBytes(plannedTypes, dimensions);
  const finer = findCuts(dataflow, rule, bytes);
  const repeated = nodesToRepeat(dataflow, rule, bytes);
  const cuts =
    repeated.size === 0 ? finer : { ...findCuts(withRepeated(dataflow, repeated), rule, bytes), finer };
  return { source: source.files, model, dataflow, types, cuts, dimensions, optimization };
}

interface TypedGraph {
  readonly model: Model;
  readonly dataflow: Dataflow;
  readonly types: ValueTypes;
  readonly nodesInOrder: readonly NodeIndex[];
}

/** The graph that the slices are cut from: the model's own, or the one that ONNX Runtime makes of it. */
function cuttableGraph(source: Model, optimization: OptimizationLevel): TypedGraph {
  if (optimization !== 'none') return typed(optimize(source, optimization));
  const own = source.usesFloat16 ? undefined : typed(source);
  if (own && !own.model.usesFloat16) return own;
  // Random operators are looked for in the model's own graph as well: a clear error before ONNX Runtime is asked.
  analyzeDataflow(source);
  try {
    return typed(optimize(source, optimization));
  } catch (error) {
    if (!(error instanceof UnloadableGraphError)) throw error;
    return own ?? typed(source);
  }
}

function typed(parsed: Model): TypedGraph {
  const nodesInOrder = nodesByRank(analyzeDataflow(parsed));
  const types = inferTypes(parsed, nodesInOrder, {});
  // An operator may make float16 of nothing that is written down as such.
  const usesFloat16 = parsed.usesFloat16 || types.some(({ dtype }) => dtype === 'float16');
  const model = { ...parsed, usesFloat16 };
  return {
    model,
    dataflow: analyzeDataflow(model, (value) => types[value]?.dtype === 'float16'),
    types,
    nodesInOrder,
  };
}

function checkDimensions(model: Model, dimensions: DimensionSizes): void {
  const known = symbolicDimensions(model.graph);
  for (const [name, size] of Object.entries(dimensions)) {
    if (!known.includes(name)) {
      throw new SlicedInferenceError(
        `a dimension must be a symbolic one of the model's inputs (${known.join(', ') || 'it has none'})`,
        quoted(name),
        'use one of these names',
      );
    }
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new SlicedInferenceError(
        `the size of dimension ${quoted(name)} must be a whole number of 1 or more`,
        String(size),
        'give the size that requests will have',
      );
    }
  }
}

function checkSparseTensors(model: Model): void {
  const nodes = model.graph.nodes;
  const holders = [
    ...nodes.map((node) => ({ label: nodeLabel(node), tensor: node.externalSparse })),
    ...calledFunctions(model, nodes).map((fn) => ({
      label: `function ${quoted(fn.name)}`,
      tensor: fn.externalSparse,
    })),
  ];
  const holder = holders.find(({ tensor }) => tensor !== undefined);
  if (holder?.tensor === undefined) return;
  throw new SlicedInferenceError(
    `${holder.label} must hold the sparse tensors of its attributes and body graphs itself`,
    `external data for ${quoted(holder.tensor)}`,
    'store that tensor inside the model, or as a dense one',
  );
}

/** What the model says of its inputs and outputs, looked at before ONNX Runtime is asked. */
function checkDeclarations({ graph }: Model): void {
  for (const { kind, value, type } of signature(graph)) {
    if (type.dataType !== undefined)
      checkPassable(kind, graph.values[value].name, dataTypeName(type.dataType));
  }
}

function checkSignature({ graph }: Model, types: ValueTypes): void {
  for (const { kind, value } of signature(graph))
    checkPassable(kind, graph.values[value].name, types[value].dtype);
  if (graph.outputs.some(({ value }) => isComputed(graph.values[value]))) return;
  throw new SlicedInferenceError(
    'the model must compute something',
    graph.outputs.length === 0 ? 'a graph without outputs' : 'outputs that are its inputs',
    'export the model again',
  );
}

/** The inputs that a request gives, and the outputs. */
function signature({ inputs, outputs, values }: Graph): (GraphInput & { kind: string })[] {
  return [
    ...inputs
      .filter(({ value }) => values[value].initializer === undefined)
      .map((input) => ({ kind: 'input', ...input })),
    ...outputs.map((output) => ({ kind: 'output', ...output })),
  ];
}

function checkPassable(kind: string, name: string, dtype: string | undefined): void {
  const badName = unusableName(name);
  if (dtype !== undefined && isBindable(dtype) && badName === undefined) return;
  throw new SlicedInferenceError(
    `${kind} ${quoted(name)} must be a tensor that ONNX Runtime's JavaScript API can pass`,
    badName === undefined ? (dtype ?? 'a sequence, map, optional or unknown type') : `one ${badName}`,
    badName === undefined ? 'convert it inside the model' : 'rename it',
  );
}

/** Constants count: without optimization a node or an initializer may hold them, with it always an initializer. */
function isComputed({ producer, initializer }: Value): boolean {
  return producer !== undefined || initializer !== undefined;
}
