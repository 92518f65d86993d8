/** Analyzes a model before it is cut: reads it, checks it, infers types and sizes, and finds the legal cuts. */
import type { Transport } from '../cost/chain';
import type { CostOptions } from '../cost/options';
import type { Opset, SourceFile, Model } from '../onnx/model';
import { parseModel } from '../onnx/parse';
import type { OptimizationLevel } from '../optimize/level';
import { crossingRule } from '../dataflow/crossing';
import { nodesByRank } from '../dataflow/dataflow';
import type { CutSpace } from '../plan/cuts/cuts';
import { cutsWithRepeats } from '../plan/cuts/rematerialize';
import { type DataSizes, dependsOnData, runForSizes } from '../shapes/data-sizes';
import { type PlannedTypes, planTypes, withDataSizes } from '../shapes/planned-types';
import { type ProvenShapes, provenShapes } from '../shapes/proven-shapes';
import { type DimensionSizes, sortedSizes } from '../shapes/value-types';
import type { Split } from '../split/split';
import { checkPlannedBytes, checkSignature, checkSource } from './check-model';
import { type PlanCostOptions, type TypedGraph, cuttableGraph, planCosts } from './cuttable-graph';
import { isPrepackingWorthwhile } from './prepacking';
import { type SplitOptions, type Splitting, applySplits, namedSplits, splitSubject } from './splitting';
import { type Int8Weights, withExactIntegers } from './int8-weights';

/** Also the graph that is cut: the one before splits, or with parts in place of the operators that are split. */
export interface AnalyzedModel extends TypedGraph {
  /** The files of the original model, its `.onnx` file first. */
  readonly source: readonly SourceFile[];
  /** The opsets of the original model. A graph that ONNX Runtime saves has all that ONNX Runtime knows. */
  readonly sourceOpsets: readonly Opset[];
  readonly provenShapes: ProvenShapes;
  /** The cuts when slices also recompute values that cost fewer bytes to recompute than to pass on. */
  readonly cuts: CutSpace;
  /** Types, elements and bytes of all values for the planned sizes of symbolic dimensions. */
  readonly planned: PlannedTypes;
  readonly optimization: OptimizationLevel;
  readonly transport: Transport;
  /** With the decision on prepacking. */
  readonly costs: CostOptions & Required<Pick<CostOptions, 'prepacking'>>;
  readonly splitting: Splitting;
  readonly int8Weights: Int8Weights;
  /** The same model with these splits instead of its own. */
  withSplits(splits: readonly Split[]): AnalyzedModel;
}

export interface AnalyzeOptions {
  /**
   * Sizes of symbolic dimensions of the inputs, by name. Requests are expected to have these sizes.
   *
   * @default - assumed sizes, see `assumedSizes`
   */
  readonly dimensions?: DimensionSizes;
  /** How far ONNX Runtime optimizes the whole model before it is cut. @default 'none' */
  readonly optimization?: OptimizationLevel;
  /**
   * File of inputs on which the model runs once; its sizes of dimensions replace those of `dimensions`. `false`: the model does not run, and
   * sizes that depend on data are estimates.
   *
   * @default - it runs on generated inputs, if sizes depend on data
   */
  readonly inputs?: string | false;
  /** By what plans are compared, besides the model. @default - the defaults of `CostOptions` */
  readonly costs?: CostOptions;
  /** Where slices write the tensors that later slices read, if the slicer does not choose it. @default 's3-standard' */
  readonly transport?: Transport;
  /** Which operators are split. @default - those without whose split no cut keeps the limits of the slicer */
  readonly splits?: SplitOptions;
}

/** The first phases of compiling: read, optimize and type, and the facts by which cuts are searched. */
export function analyzeModel(modelPath: string, options: AnalyzeOptions = {}): AnalyzedModel {
  const { optimization = 'none', splits = {}, inputs } = options;
  const requested = sortedSizes(options.dimensions ?? {});
  const source = parseModel(modelPath);
  checkSource(source, requested);
  const given = cuttableGraph(source, optimization);
  checkSignature(given.model, given.types);
  const { typed, int8Weights } = withExactIntegers(given, options.costs);
  const subject = splitSubject(typed);
  let found: DataSizes | undefined;
  // Of the graph without splits and with its own weights: the names of values are the same.
  const run =
    inputs === false
      ? undefined
      : (sizes: DimensionSizes) => (found ??= runForSizes(given.model, given.types, sizes, inputs));
  const dimensions = sortedSizes({ ...requested, ...(inputs && run?.(requested).dimensions) });
  const withSplits = (own: readonly Split[]): AnalyzedModel =>
    analyzeGraph(
      source,
      { ...applySplits(typed, subject, own, splits), int8Weights, withSplits },
      { ...options, dimensions, ...(run && { run }) },
    );
  return withSplits(namedSplits(subject, splits));
}

type SplitTypedGraph = TypedGraph & Pick<AnalyzedModel, 'splitting' | 'int8Weights' | 'withSplits'>;

interface GraphOptions extends AnalyzeOptions {
  /** Runs the model with these sizes of dimensions. */
  readonly run?: (sizes: DimensionSizes) => DataSizes;
}

function analyzeGraph(source: Model, typed: SplitTypedGraph, options: GraphOptions): AnalyzedModel {
  const { dimensions = {}, optimization = 'none', costs: given = {}, transport = 's3-standard' } = options;
  const planned = plannedTypes(typed, dimensions, options.run);
  checkPlannedBytes(typed.model, planned.bytes);
  const { prepacking = isPrepackingWorthwhile(typed.dataflow, planned, given) } = given;
  const costs = { ...given, prepacking };
  return {
    ...{ source: source.files, sourceOpsets: source.opsets, ...typed },
    provenShapes: provenShapes(typed, nodesByRank(typed.dataflow), typed.dataflow.isLive),
    cuts: cutSpace(typed, planned, { ...costs, splits: typed.splitting.splits }),
    ...{ planned, optimization, transport, costs },
  };
}

function plannedTypes(
  { model, dataflow, types }: TypedGraph,
  sizes: DimensionSizes,
  run: GraphOptions['run'],
): PlannedTypes {
  const order = nodesByRank(dataflow);
  const estimated = planTypes(model, order, types, sizes);
  if (run === undefined || !dependsOnData(model, dataflow.isLive, estimated.types)) return estimated;
  return withDataSizes(model, order, estimated, run(estimated.dimensions));
}

function cutSpace(
  { model, dataflow, types }: TypedGraph,
  planned: PlannedTypes,
  costs: PlanCostOptions,
): CutSpace {
  const known = { types, planned: planned.types, bodies: planned.bodies };
  return cutsWithRepeats(dataflow, crossingRule(model, types), planned.bytes, planCosts(model, known, costs));
}
