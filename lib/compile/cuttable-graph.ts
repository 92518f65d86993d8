/** Chooses the graph that is cut: the model's own graph, or the graph that ONNX Runtime saves of it. */
import { SlicedInferenceError, quoted } from '../errors';
import { calledFunctions } from '../onnx/local-functions';
import type { Model } from '../onnx/model';
import { type OptimizationLevel, OPTIMIZATION_LEVELS } from '../optimize/level';
import { UnloadableGraphError, optimize } from '../optimize/optimize';
import { type Dataflow, analyzeDataflow, nodesByRank } from '../dataflow/dataflow';
import { crossingRule } from '../dataflow/crossing';
import { attempt } from '../plan/choose/ranking';
import { type PlanCosts, findCuts } from '../plan/cuts/cuts';
import { ChildError } from '../host/run-child';
import { inferTypes } from '../shapes/infer';
import { isAffected } from '../saturation/rewrite';
import { type PlannedSplit, withinSplits } from '../split/split';
import type { PlannedTypes } from '../shapes/planned-types';
import { type ValueTypes, sizeClasses, tensorBytes } from '../shapes/value-types';
import { type DetailedCostModel, costModel } from '../cost/model';
import type { Environment } from '../cost/constants/defaults';
import { environmentAt } from '../cost/constants/ends';
import { type CostOptions, withDefaults } from '../cost/options';
import { threadCount } from '../plan/sizes/estimate';
import { scratchBytes } from '../plan/sizes/kernels/scratch';
import { nodeSeconds } from '../compute-time/node-seconds';
import { OUTPUT_BANDWIDTH } from '../compute-time/lambda-vcpu';
import type { Architecture } from '../cost/formulas/lambda';
import type { ClassFactors } from '../compute-time/kernel-class';

export interface TypedGraph {
  readonly model: Model;
  /** The data flow when only constant nodes run in more than one slice. */
  readonly dataflow: Dataflow;
  /** Symbolic dimensions appear by name in these shapes. */
  readonly types: ValueTypes;
}

/**
 * ONNX Runtime saves the graph if an optimization level is requested or if the model computes in float16; a saved graph
 * contains the float16 conversions that ONNX Runtime runs. A saved graph also has the nodes of local functions in place
 * of their calls, so it can be cut inside of them: it is chosen if that allows more cuts.
 */
export function cuttableGraph(source: Model, optimization: OptimizationLevel): TypedGraph {
  if (optimization !== 'none') return typedGraph(optimize(source, optimization));
  try {
    return unoptimizedGraph(source);
  } catch (error) {
    throw error instanceof ChildError ? withLoadingLevel(source, error) : error;
  }
}

/** What ONNX Runtime says if an operator has no kernel, or if it would have none between the conversions of float16 that are inserted. */
const PERHAPS_OPTIMIZED = /InsertedPrecisionFreeCast_|Could not find an implementation/;

/** Names the lowest level of optimization at which the model loads, if there is one. */
function withLoadingLevel(source: Model, error: ChildError): SlicedInferenceError {
  if (!PERHAPS_OPTIMIZED.test(error.got)) return error;
  const loads = (level: OptimizationLevel): boolean =>
    !(attempt(() => typedGraph(optimize(source, level))) instanceof SlicedInferenceError);
  const level = OPTIMIZATION_LEVELS.slice(1).find(loads);
  if (level === undefined) return error;
  return new SlicedInferenceError(
    `model ${quoted(source.files[0].path)} must load in ONNX Runtime without graph optimization`,
    error.got,
    `it loads with \`graphOptimization: GraphOptimization.${level.toUpperCase()}\` and with \`--optimize ${level}\``,
  );
}

function unoptimizedGraph(source: Model): TypedGraph {
  if (source.usesFloat16) {
    // Refuse unseeded random operators before ONNX Runtime starts: this error is the clearer one.
    analyzeDataflow(source);
    return savedGraph(source) ?? typedGraph(source);
  }
  const original = typedGraph(source);
  if (original.model.usesFloat16) return savedGraph(source) ?? original;
  if (!callsInlinableFunctions(source)) return original;
  const inlined = savedGraph(source);
  if (inlined === undefined) return original;
  // Weights of functions cannot be rewritten.
  const saturates = calledFunctions(source, source.graph.nodes).some(isAffected);
  return saturates || legalCuts(inlined) > legalCuts(original) ? inlined : original;
}

/**
 * Whether ONNX Runtime runs the nodes of functions in place of calls, and saves these nodes with the same meaning. An operator's
 * meaning depends on the version of its domain, which a saved graph has only once.
 */
function callsInlinableFunctions(model: Model): boolean {
  const functions = calledFunctions(model, model.graph.nodes);
  const versions = new Map(model.opsets.map(({ domain, version }) => [domain, version]));
  const own = new Set(functions.map(({ domain }) => domain));
  return (
    functions.length > 0 &&
    functions.every(({ opsets }) =>
      opsets.every(({ domain, version }) => own.has(domain) || versions.get(domain) === version),
    )
  );
}

function legalCuts({ dataflow, model, types }: TypedGraph): number {
  return findCuts(
    dataflow,
    crossingRule(model, types),
    model.graph.values.map(() => 0),
    planCosts(model, { types, planned: types }),
  ).legal.length;
}

/** The graph that ONNX Runtime saves without optimization; `undefined` if it cannot load that graph again. */
function savedGraph(source: Model): TypedGraph | undefined {
  try {
    return typedGraph(optimize(source, 'none'));
  } catch (error) {
    if (!(error instanceof UnloadableGraphError)) throw error;
    return undefined;
  }
}

/** The graph with the types that ONNX Runtime infers. */
export function typedGraph(parsed: Model): TypedGraph {
  const types = inferTypes(parsed, nodesByRank(analyzeDataflow(parsed)), {});
  if (types instanceof ChildError) throw types;
  // An operator may produce float16 in a model that declares it nowhere.
  const usesFloat16 = parsed.usesFloat16 || types.some(({ dtype }) => dtype === 'float16');
  const model = { ...parsed, usesFloat16 };
  return { model, dataflow: analyzeDataflow(model, (value) => types[value]?.dtype === 'float16'), types };
}

/** Requests per hour of a mix of warm and cold runs, if the user names no rate: about a third of such runs is cold. */
const DEFAULT_REQUESTS_PER_HOUR = 10;

export interface PlanCostOptions extends CostOptions {
  readonly splits?: readonly PlannedSplit[];
}

export interface KnownTypes {
  /** What ONNX Runtime infers without knowing the sizes of requests. */
  readonly types: ValueTypes;
  readonly planned: ValueTypes;
  readonly bodies?: PlannedTypes['bodies'] | undefined;
}

export function planCosts(
  model: Model,
  { types, planned, bodies }: KnownTypes,
  { splits, ...options }: PlanCostOptions = {},
): PlanCosts {
  const { environment, prepacking, architecture } = withDefaults(options);
  const factors = architectureFactors(architecture, environment);
  const estimates = {
    work: nodeSeconds(model, planned, { bodies, prepacking, factors }),
    scratch: scratchBytes(model, planned, prepacking),
    classes: sizeClasses(types),
    elementBytes: planned.map(({ dtype }) => (dtype === 'string' ? 0 : tensorBytes(dtype, 1))),
    threads: (memoryMb: number) => withinSplits(threadCount(memoryMb), splits),
    outputSecondsPerByte: 1 / OUTPUT_BANDWIDTH,
    ...(options.warmUp !== undefined && { warmUp: options.warmUp }),
  };
  const costsIn = (own: Environment): PlanCosts => ({
    ...estimates,
    model: modelsOf({ ...options, environment: own }),
    at: (end) => costsIn(environmentAt(environment, end)),
  });
  return costsIn(environment);
}

/** A model keeps the sums of delays that were asked for. */
function modelsOf(options: CostOptions): PlanCosts['model'] {
  const models = new Map<string, DetailedCostModel>();
  return (
    requestsPerHour = options.requestsPerHour ?? DEFAULT_REQUESTS_PER_HOUR,
    warmUp = options.warmUp,
  ) => {
    const key = `${requestsPerHour} ${warmUp}`;
    const known = models.get(key) ?? costModel({ ...options, requestsPerHour, warmUp });
    models.set(key, known);
    return known;
  };
}

function architectureFactors(
  architecture: Architecture,
  { processor }: Environment,
): ClassFactors | undefined {
  if (architecture === 'x86_64') return undefined;
  const { armFloat32, armInt8, armFourBits, armFloat16 } = processor;
  return {
    float32: armFloat32,
    elements: armFloat32,
    int8: armInt8,
    fourBits: armFourBits,
    float16: armFloat16,
  };
}
