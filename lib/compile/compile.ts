/**
 * Compiles a model, from its path to a plan and the bytes of its slices, in phases. Each takes one value and returns the next:
 *
 * | phase                    | by               | returns                                                       |
 * |--------------------------|------------------|---------------------------------------------------------------|
 * | read, optimize and type  | `analyzeModel`   | the graph that is cut, with types                             |
 * | split                    | `cutModel`        | the graph with parts in place of operators that make no slice fit |
 * | facts                    | `analyzeModel`   | which values may cross cuts, work and bytes: `AnalyzedModel`  |
 * | search                   | `bestCut`        | groups of nodes, wired, with settings: `ChosenCut`            |
 * | estimate                 | `planEstimates`  | what runs cost, beside one function                           |
 * | emit                     | `compileCut`     | the plan, and slices whose weights are not read yet           |
 */
import * as path from 'node:path';
import { sliceName } from '../../contract/keys';
import { type CompiledModel, type SliceChunks, emitSlice } from '../emit/slice';
import type { ChosenCut } from '../plan/slicers/slicer';
import { coldCalls } from '../plan/pricing/cold-calls';
import type { ConsolidationMode } from '../plan/pricing/price';
import type { Slicer } from '../plan/slicers';
import { type AnalyzeOptions, type AnalyzedModel, analyzeModel } from './analyze';
import { cutModel } from './fit-by-splits';
import { planEstimates } from './plan-estimates';
import type { SliceManifest, SourcedTensor } from '../../contract/slice-manifest';
import type { TensorSpec } from '../../contract/tensors';
import { CONTRACT_VERSION } from '../../contract/version';
import { SlicedInferenceError, quoted } from '../errors';
import type { Dataflow } from '../dataflow/dataflow';
import { hasInt8Faults, plannedInt8Weights } from './int8-weights';
import { totalLength } from '../onnx/encode';
import { isBindable } from '../onnx/data-type';
import { MAX_PROTOBUF_BYTES } from '../onnx/limits';
import type { Chunk, Model, ValueIndex } from '../onnx/model';
import { onnxRuntimeVersion, packageVersion } from '../host/packages';
import {
  type SliceSize,
  ephemeralStorageMb,
  memoryMb,
  peakBytes,
  timeoutSeconds,
} from '../plan/sizes/estimate';
import { optimizedMemoryMb } from '../plan/sizes/folded-constants';
import { sliceSizes } from '../plan/sizes/slice-sizes';
import * as plans from '../plan/file/plan';
import type { SourcedValue, Wiring } from '../plan/wiring/wiring';
import { type ValueTypes, product, tensorBytes } from '../shapes/value-types';
import { largestOf } from '../extremes';

export function compile(modelPath: string, slicer: Slicer, options: AnalyzeOptions = {}): CompiledModel {
  return compileAnalyzed(analyzeModel(modelPath, options), slicer);
}

export function compileAnalyzed(facts: AnalyzedModel, slicer: Slicer): CompiledModel {
  const { analyzed, cut } = cutModel(facts, slicer);
  return compileCut(analyzed, cut);
}

/**
 * Also estimates what runs of the plan cost, and whether one function would be better.
 *
 * @param consolidation whether the whole model is compiled too
 */
export function compileEstimated(
  modelPath: string,
  slicer: Slicer,
  options: AnalyzeOptions = {},
  consolidation: ConsolidationMode = 'never',
) {
  const { analyzed, cut } = cutModel(analyzeModel(modelPath, options), slicer, consolidation);
  const estimates = planEstimates(analyzed, cut, slicer);
  const compiled = compileCut(analyzed, cut);
  return { compiled, ...(cut.whole && { whole: compileCut(analyzed, cut.whole.cut) }), estimates };
}

export function compileCut(facts: AnalyzedModel, cut: ChosenCut): CompiledModel {
  const { source, model } = facts;
  const manifests = sliceManifests(model, facts, cut.wiring);
  const slices = cut.wiring.slices.map((slice, index) =>
    emitSlice(model, facts, slice, manifests[index], `${sliceName(index)}.weights`),
  );
  return { plan: describePlan(facts, cut, manifests, slices), source, files: model.files, slices };
}

type KnownTypes = Pick<AnalyzedModel, 'types' | 'provenShapes'>;

export function sliceManifests(
  model: Model,
  { types, provenShapes }: KnownTypes,
  wiring: Wiring,
): SliceManifest[] {
  const spec = specifier(model, types);
  const sourced = ({ value, source }: SourcedValue): SourcedTensor => ({ ...spec(value), source });
  const { request, fixed } = modelInputs(model, spec);
  const result = wiring.results.map(sourced);
  const resultBytes = provenBytes(
    wiring.results.map(({ value }) => value),
    { types, provenShapes },
  );
  return wiring.slices.map(({ inputs, outputs }, slice) => ({
    version: CONTRACT_VERSION,
    slice,
    slices: wiring.slices.length,
    request,
    fixed,
    inputs: inputs.map(sourced),
    outputs: outputs.map(spec),
    ...(slice === 0 && resultBytes !== undefined && { resultBytes }),
    ...(slice === wiring.slices.length - 1 && { result }),
  }));
}

/**
 * Of the elements in every run. A model may declare other shapes than its values have. `undefined` if a size is not proven, or if a
 * tensor has strings.
 */
function provenBytes(values: readonly ValueIndex[], { types, provenShapes }: KnownTypes): number | undefined {
  const bytes = values.map((value) => {
    const { dtype } = types[value];
    const shape = provenShapes[value];
    const sizes = shape?.filter((size) => typeof size === 'number');
    if (dtype === undefined || dtype === 'string' || sizes === undefined || sizes.length !== shape?.length)
      return undefined;
    return tensorBytes(dtype, product(sizes));
  });
  return bytes.reduce((sum, own) => (sum === undefined || own === undefined ? undefined : sum + own), 0);
}

export function describePlan(
  analyzed: AnalyzedModel,
  { dataflow, groups, wiring, settings }: ChosenCut,
  manifests: readonly SliceManifest[],
  chunks: readonly SliceChunks[],
): plans.PlanDraft {
  const { source, model, cuts, planned, optimization, splitting, int8Weights } = analyzed;
  const sizes = sliceSizes(dataflow, wiring, cuts.bytes, cuts.costs);
  const memory = sizes.map((size, slice) => Math.max(memoryMb(size), settings?.memoryMb[slice] ?? 0));
  const threads = settings?.threads ?? cuts.costs.threads(largestOf(memory));
  const { transport = analyzed.transport } = settings ?? {};
  const optimized = memoryWhenOptimized(analyzed, dataflow, sizes) ?? 0;
  const calls = coldCalls(cuts.costs, sizes, { memoryMb: memory, threads, transport });
  const slices = manifests.map(({ slice, inputs, outputs }): plans.SliceDraft => {
    const files = draftFiles(slice, chunks[slice]);
    const { weightBytes, activationBytes, readBytes, writeBytes } = sizes[slice];
    const fileBytes = files.model.bytes + (files.weights?.bytes ?? 0);
    return {
      nodes: plans.toRuns(groups[slice]),
      ...files,
      inputs,
      outputs,
      weightBytes,
      activationBytes,
      readBytes,
      writeBytes,
      peakMemoryBytes: peakBytes(sizes[slice]),
      memoryMb: memory[slice],
      ...(optimized > memory[slice] && { optimizedMemoryMb: optimized }),
      ephemeralStorageMb: ephemeralStorageMb(fileBytes),
      timeoutSeconds: timeoutSeconds(fileBytes, calls[slice].slowest),
      coldSeconds: calls[slice],
    };
  });
  const { request, fixed, result } = manifests[manifests.length - 1];
  return {
    version: plans.PLAN_VERSION,
    library: packageVersion(),
    onnxRuntime: onnxRuntimeVersion(),
    graphOptimization: optimization,
    model: {
      file: path.basename(source[0].path),
      nodes: model.graph.nodes.length,
      graphDigest: plans.graphDigest(model.graph),
    },
    dimensions: planned.dimensions,
    assumedDimensions: planned.assumed,
    boundedTensors: planned.bounded.map((value) => model.graph.values[value].name),
    ...(planned.data && { dataSizes: planned.data.source }),
    ...(analyzed.costs.prepacking ? {} : { prepacking: false }),
    threads,
    inputs: request,
    fixedInputs: fixed,
    outputs: result ?? [],
    ...(splitting.splits.length > 0 && { splits: splitting.splits }),
    ...(hasInt8Faults(int8Weights) && { int8Weights: plannedInt8Weights(int8Weights) }),
    slices,
  };
}

/** Of the only slice, if ONNX Runtime has not optimized it yet. */
function memoryWhenOptimized(
  { optimization, planned }: AnalyzedModel,
  dataflow: Dataflow,
  [size, ...others]: readonly SliceSize[],
): number | undefined {
  if (optimization !== 'none' || others.length > 0) return undefined;
  return optimizedMemoryMb(dataflow, planned.bytes, size);
}

type Specifier = (value: ValueIndex) => TensorSpec;

function specifier(model: Model, types: ValueTypes): Specifier {
  return (value) => {
    const { name } = model.graph.values[value];
    const { dtype, shape } = types[value];
    if (dtype === undefined || !isBindable(dtype))
      throw new Error(`${quoted(name)} of type ${dtype} cannot be passed`);
    return { name, dtype, shape };
  };
}

function modelInputs(model: Model, spec: Specifier): { request: TensorSpec[]; fixed: string[] } {
  const { inputs, values } = model.graph;
  const all = inputs.map(({ value }) => value);
  return {
    request: all.filter((value) => values[value].initializer === undefined).map(spec),
    fixed: all.filter((value) => values[value].initializer !== undefined).map((value) => values[value].name),
  };
}

function draftFiles(slice: number, chunks: SliceChunks): Pick<plans.SliceDraft, 'model' | 'weights'> {
  const name = sliceName(slice);
  const draft = (file: string, content: readonly Chunk[]): plans.FileDraft => ({
    file,
    bytes: totalLength(content),
  });
  const model = draft(`${name}.onnx`, chunks.model);
  if (model.bytes > MAX_PROTOBUF_BYTES) {
    throw new SlicedInferenceError(
      `the graph of slice ${slice} must stay below 2 GiB, the limit of protobuf`,
      `${model.bytes} bytes`,
      'store weights as raw or external data, or use more slices',
    );
  }
  if (chunks.weights.length === 0) return { model };
  return { model, weights: draft(`${name}.weights`, chunks.weights) };
}
