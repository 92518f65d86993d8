/** Chooses the graph that is cut: the model's own graph, or the graph that ONNX Runtime saves of it. */
import { calledFunctions } from '../onnx/local-functions';
import type { Model } from '../onnx/model';
import type { OptimizationLevel } from '../optimize/level';
import { UnloadableGraphError, optimize } from '../optimize/optimize';
import { type Dataflow, analyzeDataflow, nodesByRank } from '../dataflow/dataflow';
import { crossingRule } from '../dataflow/crossing';
import { findCuts } from '../plan/cuts/cuts';
import { planCosts } from './plan-costs';
import { inferTypes } from '../shapes/infer';
import type { ValueTypes } from '../shapes/value-types';

/** The graph that is cut: the original one, or the one that ONNX Runtime saved. */
export interface TypedGraph {
  readonly model: Model;
  /** The data flow when only constant nodes run in more than one slice. */
  readonly dataflow: Dataflow;
  /** Symbolic dimensions appear by name in these shapes. */
  readonly types: ValueTypes;
}

/**
 * ONNX Runtime saves the graph if an optimization level is requested or if the model computes in float16; a saved graph
 * contains the float16 conversions that ONNX Runtime runs. A saved graph also has the nodes of local functions in place of
 * their calls, so it can be cut inside of them: it is chosen if that allows more cuts.
 *
 * @throws SlicedInferenceError if ONNX Runtime refuses the model, or if the graph is cyclic or draws unseeded random numbers
 */
export function cuttableGraph(source: Model, optimization: OptimizationLevel): TypedGraph {
  if (optimization !== 'none') return typedGraph(optimize(source, optimization));
  if (source.usesFloat16) {
    // Refuse unseeded random operators before ONNX Runtime starts: this error is the clearer one.
    analyzeDataflow(source);
    return savedGraph(source) ?? typedGraph(source);
  }
  const original = typedGraph(source);
  if (original.model.usesFloat16) return savedGraph(source) ?? original;
  if (!callsInlinableFunctions(source)) return original;
  const inlined = savedGraph(source);
  return inlined !== undefined && legalCuts(inlined) > legalCuts(original) ? inlined : original;
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

/** The number of cuts when only constants are recomputed. */
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

function typedGraph(parsed: Model): TypedGraph {
  const types = inferTypes(parsed, nodesByRank(analyzeDataflow(parsed)), {});
  // An operator may produce float16 in a model that declares it nowhere.
  const usesFloat16 = parsed.usesFloat16 || types.some(({ dtype }) => dtype === 'float16');
  const model = { ...parsed, usesFloat16 };
  return { model, dataflow: analyzeDataflow(model, (value) => types[value]?.dtype === 'float16'), types };
}
