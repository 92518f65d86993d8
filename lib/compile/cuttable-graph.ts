/** Chooses the graph that is cut: the model's own graph, or the graph that ONNX Runtime saves of it. */
import type { Model } from '../onnx/model';
import type { OptimizationLevel } from '../optimize/level';
import { UnloadableGraphError, optimize } from '../optimize/optimize';
import type { Dataflow } from '../dataflow/dataflow';
import { analyzeDataflow, nodesByRank } from '../dataflow/dataflow';
import { inferTypes } from '../shapes/infer';
import type { ValueTypes } from '../shapes/value-types';

interface TypedGraph {
  readonly model: Model;
  readonly dataflow: Dataflow;
  /** Symbolic dimensions appear by name in these shapes. */
  readonly types: ValueTypes;
}

/**
 * ONNX Runtime saves the graph if an optimization level is requested or if the model computes in float16; a saved graph
 * contains the float16 conversions that ONNX Runtime runs.
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
  return original.model.usesFloat16 ? (savedGraph(source) ?? original) : original;
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
