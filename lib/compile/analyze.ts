/** Analyzes a model before it is cut: reads it, checks it, infers types and sizes, and finds the legal cuts. */
import type { Model, Opset, SourceFile } from '../onnx/model';
import { parseModel } from '../onnx/parse';
import type { OptimizationLevel } from '../optimize/level';
import { crossingRule } from '../dataflow/crossing';
import type { Dataflow } from '../dataflow/dataflow';
import { nodesByRank } from '../dataflow/dataflow';
import type { CutSpace } from '../plan/cuts/cuts';
import { cutsWithRepeats } from '../plan/cuts/rematerialize';
import type { PlannedTypes } from '../shapes/planned-types';
import { planTypes } from '../shapes/planned-types';
import type { ProvenShapes } from '../shapes/proven-shapes';
import { provenShapes } from '../shapes/proven-shapes';
import type { DimensionSizes, ValueTypes } from '../shapes/value-types';
import { sortedSizes } from '../shapes/value-types';
import { checkSignature, checkSource } from './check-model';
import { cuttableGraph } from './cuttable-graph';
import type { DetailedPlanCosts } from './plan-costs';
import { planCosts } from './plan-costs';

export interface AnalyzedModel {
  /** The files of the original model, its `.onnx` file first. */
  readonly source: readonly SourceFile[];
  /** The opsets of the original model. A graph that ONNX Runtime saves has all that ONNX Runtime knows. */
  readonly sourceOpsets: readonly Opset[];
  /** The graph that is cut: the original one, or the one that ONNX Runtime saved. */
  readonly model: Model;
  /** The data flow when only constant nodes run in more than one slice. */
  readonly dataflow: Dataflow;
  /** Symbolic dimensions appear by name in these shapes. */
  readonly types: ValueTypes;
  /** The shapes that slices declare. */
  readonly provenShapes: ProvenShapes;
  /** The cuts when slices also recompute values that cost fewer bytes to recompute than to pass on. */
  readonly cuts: CutSpace;
  /** The estimates by which plans are compared; also in `cuts`. */
  readonly costs: DetailedPlanCosts;
  /** Types, elements and bytes of all values for the planned sizes of symbolic dimensions. */
  readonly planned: PlannedTypes;
  readonly optimization: OptimizationLevel;
}

export interface AnalyzeOptions {
  /**
   * Sizes of symbolic dimensions of the inputs, by name. Requests are expected to have these sizes.
   *
   * @default - assumed sizes; see `assumedSizes`
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
 * @throws SlicedInferenceError if the model cannot be read or run, if a cut would change its results, or if a dimension
 * is unknown
 */
export function analyzeModel(modelPath: string, options: AnalyzeOptions = {}): AnalyzedModel {
  const { optimization = 'none' } = options;
  const dimensions = sortedSizes(options.dimensions ?? {});
  const source = parseModel(modelPath);
  checkSource(source, dimensions);
  const { model, dataflow, types } = cuttableGraph(source, optimization);
  checkSignature(model, types);
  const nodes = nodesByRank(dataflow);
  const planned = planTypes(model, nodes, types, dimensions);
  const costs = planCosts(model, planned.types);
  return {
    source: source.files,
    sourceOpsets: source.opsets,
    model,
    dataflow,
    types,
    provenShapes: provenShapes(model, nodes, types),
    cuts: cutsWithRepeats(dataflow, crossingRule(model, types), planned.bytes, costs),
    costs,
    planned,
    optimization,
  };
}
