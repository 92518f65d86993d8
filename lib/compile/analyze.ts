/** Analyzes a model before it is cut: reads it, checks it, infers types and sizes, and finds the legal cuts. */
import type { Transport } from '../cost/cost-model';
import type { CostOptions } from '../cost/cost-options';
import type { Model, Opset, SourceFile } from '../onnx/model';
import { parseModel } from '../onnx/parse';
import type { OptimizationLevel } from '../optimize/level';
import { crossingRule } from '../dataflow/crossing';
import { type Dataflow, nodesByRank } from '../dataflow/dataflow';
import type { CutSpace } from '../plan/cuts/cuts';
import { cutsWithRepeats } from '../plan/cuts/rematerialize';
import { type PlannedTypes, planTypes } from '../shapes/planned-types';
import { type ProvenShapes, provenShapes } from '../shapes/proven-shapes';
import { type DimensionSizes, type ValueTypes, sortedSizes } from '../shapes/value-types';
import { profiledPeaks } from '../compute-time/profile/profiled-model';
import { checkPlannedBytes, checkSignature, checkSource } from './check-model';
import { cuttableGraph } from './cuttable-graph';
import { type FittingProfile, type GivenProfile, profileFor } from './files/read-profile';
import { planCosts } from './plan-costs';
import { hasPlannedSizes, profiledSizes, trueTypes } from './true-types';

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
  /** Types, elements and bytes of all values for the planned sizes of symbolic dimensions. */
  readonly planned: PlannedTypes;
  readonly optimization: OptimizationLevel;
  /** Where slices write the tensors that later slices read, if the slicer does not choose it. */
  readonly transport: Transport;
  /** The options of the model of cost by which plans are compared. */
  readonly costs: CostOptions;
  /** The measurements that replace estimates, and what differs from the plan. */
  readonly profile?: FittingProfile;
}

export interface AnalyzeOptions {
  /**
   * Sizes of symbolic dimensions of the inputs, by name. Requests are expected to have these sizes.
   *
   * @default - the sizes of the profile; without a profile assumed sizes, see `assumedSizes`
   */
  readonly dimensions?: DimensionSizes;
  /**
   * How far ONNX Runtime optimizes the whole model before it is cut.
   *
   * @default 'none'
   */
  readonly optimization?: OptimizationLevel;
  /**
   * Measurements of the model. They replace the estimates of work, and if the sizes of all dimensions are the same those of
   * shapes and memory.
   *
   * @default - estimates
   */
  readonly profile?: GivenProfile;
  /**
   * By what plans are compared, besides the model.
   *
   * @default - the defaults of `CostOptions`
   */
  readonly costs?: CostOptions;
  /**
   * Where slices write the tensors that later slices read, if the slicer does not choose it.
   *
   * @default 's3-standard'
   */
  readonly transport?: Transport;
}

/**
 * @throws SlicedInferenceError if the model cannot be read or run, if a cut would change its results, or if a dimension
 * is unknown
 */
export function analyzeModel(modelPath: string, options: AnalyzeOptions = {}): AnalyzedModel {
  const { optimization = 'none', profile: given, costs = {}, transport = 's3-standard' } = options;
  const dimensions = sortedSizes(options.dimensions ?? {});
  const source = parseModel(modelPath);
  checkSource(source, dimensions);
  const { model, dataflow, types } = cuttableGraph(source, optimization);
  checkSignature(model, types);
  const nodes = nodesByRank(dataflow);
  const profile = given && profileFor(given.profile, given.path, { model, optimization, dimensions });
  const sizes = { ...(profile && profiledSizes(model, profile.profile)), ...dimensions };
  const estimated = planTypes(model, nodes, types, sizes);
  const planned = profile ? trueTypes(model, profile.profile, estimated) : estimated;
  checkPlannedBytes(model, planned.bytes);
  const planCost = {
    ...planCosts(
      model,
      { types, planned: planned.types },
      { ...costs, ...(profile && { profile: profile.profile }) },
    ),
    ...(profile && hasPlannedSizes(profile.profile, planned) && { peaks: profiledPeaks(profile.profile) }),
  };
  return {
    source: source.files,
    sourceOpsets: source.opsets,
    model,
    dataflow,
    types,
    provenShapes: provenShapes(model, nodes, types),
    cuts: cutsWithRepeats(dataflow, crossingRule(model, types), planned.bytes, planCost),
    planned,
    optimization,
    transport,
    costs,
    ...(profile && { profile }),
  };
}
