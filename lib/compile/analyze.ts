/** Analyzes a model before it is cut: reads it, checks it, infers types and sizes, and finds the legal cuts. */
import type { Model, SourceFile } from '../onnx/model';
import { parseModel } from '../onnx/parse';
import type { OptimizationLevel } from '../optimize/level';
import { crossingRule } from '../dataflow/crossing';
import type { Dataflow } from '../dataflow/dataflow';
import { nodesByRank } from '../dataflow/dataflow';
import type { CutSpace } from '../plan/cuts/cuts';
import { cutsWithRepeats } from '../plan/cuts/rematerialize';
import { inferTypes } from '../shapes/infer';
import type { DimensionSizes, ValueTypes } from '../shapes/value-types';
import { plannedBytes, sortedSizes } from '../shapes/value-types';
import { checkSignature, checkSource } from './check-model';
import { cuttableGraph } from './cuttable-graph';
import { planCosts } from './plan-costs';

export interface AnalyzedModel {
  /** The files of the original model, its `.onnx` file first. */
  readonly source: readonly SourceFile[];
  /** The graph that is cut: the original one, or the one that ONNX Runtime saved. */
  readonly model: Model;
  /** The data flow when only constant nodes run in more than one slice. */
  readonly dataflow: Dataflow;
  /** Symbolic dimensions appear by name in these shapes. */
  readonly types: ValueTypes;
  /** The cuts when slices also recompute values that cost fewer bytes to recompute than to pass on. */
  readonly cuts: CutSpace;
  readonly dimensions: DimensionSizes;
  readonly optimization: OptimizationLevel;
}

export interface AnalyzeOptions {
  /**
   * Sizes of symbolic dimensions that the estimates assume, by name.
   *
   * @default - 1 for each dimension
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
  const plannedTypes =
    Object.keys(dimensions).length === 0 ? types : inferTypes(model, nodesByRank(dataflow), dimensions);
  checkSignature(model, types);
  const bytes = plannedBytes(plannedTypes, dimensions);
  const cuts = cutsWithRepeats(dataflow, crossingRule(model, types), bytes, planCosts(dataflow, bytes));
  return { source: source.files, model, dataflow, types, cuts, dimensions, optimization };
}
