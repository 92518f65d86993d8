/** Analyzes a model before it is cut: reads it, checks it, infers types and sizes, and finds the legal cuts. */
import type { Transport } from '../cost/chain';
import type { CostOptions } from '../cost/options';
import type { Opset, SourceFile } from '../onnx/model';
import { parseModel } from '../onnx/parse';
import type { OptimizationLevel } from '../optimize/level';
import { crossingRule } from '../dataflow/crossing';
import { nodesByRank } from '../dataflow/dataflow';
import type { CutSpace } from '../plan/cuts/cuts';
import { fromRuns } from '../plan/file/node-runs';
import { cutsWithRepeats } from '../plan/cuts/rematerialize';
import { type PlannedTypes, planTypes } from '../shapes/planned-types';
import { type ProvenShapes, provenShapes } from '../shapes/proven-shapes';
import { type DimensionSizes, sortedSizes } from '../shapes/value-types';
import { checkPlannedBytes, checkSignature, checkSource } from './check-model';
import { type TypedGraph, cuttableGraph } from './cuttable-graph';
import { type FittingProfile, type GivenProfile, profileFor } from './files/read-profile';
import { planCosts } from './plan-costs';
import { hasPlannedSizes, profiledSizes, trueTypes } from './true-types';

/** The facts of a model by which its cuts are searched, and with which its slices are emitted. */
export interface AnalyzedModel extends TypedGraph {
  /** The files of the original model, its `.onnx` file first. */
  readonly source: readonly SourceFile[];
  /** The opsets of the original model. A graph that ONNX Runtime saves has all that ONNX Runtime knows. */
  readonly sourceOpsets: readonly Opset[];
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
 * The first phases of compiling: read, optimize and type, and the facts by which cuts are searched.
 *
 * @throws SlicedInferenceError if the model cannot be read or run, if a cut would change its results, or if a dimension
 * is unknown
 */
export function analyzeModel(modelPath: string, options: AnalyzeOptions = {}): AnalyzedModel {
  const { optimization = 'none', costs = {}, transport = 's3-standard' } = options;
  const dimensions = sortedSizes(options.dimensions ?? {});
  const source = parseModel(modelPath);
  checkSource(source, dimensions);
  const typed = cuttableGraph(source, optimization);
  checkSignature(typed.model, typed.types);
  const profile = options.profile && profileFor(options.profile, { ...typed, optimization, dimensions });
  const planned = plannedTypes(typed, dimensions, profile);
  checkPlannedBytes(typed.model, planned.bytes);
  return {
    ...{ source: source.files, sourceOpsets: source.opsets, ...typed },
    provenShapes: provenShapes(typed.model, nodesByRank(typed.dataflow), typed.types),
    cuts: cutSpace(typed, planned, costs, profile),
    ...{ planned, optimization, transport, costs },
    ...(profile && { profile }),
  };
}

/** A dimension that is not named has the size of the profile. */
function plannedTypes(
  { model, dataflow, types }: TypedGraph,
  dimensions: DimensionSizes,
  profile?: FittingProfile,
): PlannedTypes {
  const sizes = { ...(profile && profiledSizes(model, profile.profile)), ...dimensions };
  const estimated = planTypes(model, nodesByRank(dataflow), types, sizes);
  return profile ? trueTypes(model, profile.profile, estimated) : estimated;
}

function cutSpace(
  { model, dataflow, types }: TypedGraph,
  planned: PlannedTypes,
  costs: CostOptions,
  fitting?: FittingProfile,
): CutSpace {
  const profile = fitting?.profile;
  const own = planCosts(model, { types, planned: planned.types }, { ...costs, ...(profile && { profile }) });
  const peaks = profile?.slices.map(({ nodes, activationBytes }) => ({
    nodes: fromRuns(nodes),
    activationBytes,
  }));
  const measured = profile && hasPlannedSizes(profile, planned) && { peaks };
  return cutsWithRepeats(dataflow, crossingRule(model, types), planned.bytes, { ...own, ...measured });
}
