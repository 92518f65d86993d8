/** Describes a cut model: as a plan, and as one manifest per slice function. */
import * as path from 'node:path';
import type { SliceManifest, SourcedTensor } from '../../contract/slice-manifest';
import type { TensorSpec } from '../../contract/tensors';
import { sliceName } from '../../contract/keys';
import { CONTRACT_VERSION } from '../../contract/version';
import type { AnalyzedModel } from './analyze';
import type { ChosenCut } from '../plan/choose/cut-prices';
import type { SliceChunks } from '../emit/slice';
import { SlicedInferenceError, quoted } from '../errors';
import { type Chunk, totalLength } from '../onnx/chunks';
import { isBindable } from '../onnx/data-type';
import { MAX_PROTOBUF_BYTES } from '../onnx/limits';
import type { Model, ValueIndex } from '../onnx/model';
import { onnxRuntimeVersion } from '../host/onnxruntime';
import { packageVersion } from '../host/package-files';
import { ephemeralStorageMb, memoryMb, peakBytes, threadCount, timeoutSeconds } from '../plan/sizes/estimate';
import { sliceSizes } from '../plan/sizes/slice-sizes';
import { type FileDraft, type PlanDraft, type SliceDraft, PLAN_VERSION } from '../plan/file/plan';
import { graphDigest } from '../plan/file/graph-digest';
import { toRuns } from '../plan/file/node-runs';
import type { SourcedValue, Wiring } from '../plan/wiring/wiring';
import type { ProvenShapes } from '../shapes/proven-shapes';
import { type ValueTypes, product, tensorBytes } from '../shapes/value-types';
import { largestOf } from '../extremes';

interface KnownTypes {
  readonly types: ValueTypes;
  readonly provenShapes: ProvenShapes;
}

/** By slice: the manifest that its function reads. */
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
): PlanDraft {
  const { source, model, cuts, planned, optimization } = analyzed;
  const sizes = sliceSizes(dataflow, wiring, cuts.bytes, cuts.costs);
  const slices = manifests.map(({ slice, inputs, outputs }): SliceDraft => {
    const files = draftFiles(slice, chunks[slice]);
    const { weightBytes, activationBytes, readBytes, writeBytes } = sizes[slice];
    const fileBytes = files.model.bytes + (files.weights?.bytes ?? 0);
    return {
      nodes: toRuns(groups[slice]),
      ...files,
      inputs,
      outputs,
      weightBytes,
      activationBytes,
      readBytes,
      writeBytes,
      peakMemoryBytes: peakBytes(sizes[slice]),
      memoryMb: Math.max(memoryMb(sizes[slice]), settings?.memoryMb[slice] ?? 0),
      ephemeralStorageMb: ephemeralStorageMb(fileBytes),
      timeoutSeconds: timeoutSeconds(fileBytes),
    };
  });
  const { request, fixed, result } = manifests[manifests.length - 1];
  return {
    version: PLAN_VERSION,
    library: packageVersion(),
    onnxRuntime: onnxRuntimeVersion(),
    graphOptimization: optimization,
    model: {
      file: path.basename(source[0].path),
      nodes: model.graph.nodes.length,
      graphDigest: graphDigest(model.graph),
    },
    dimensions: planned.dimensions,
    assumedDimensions: planned.assumed,
    boundedTensors: planned.bounded.map((value) => model.graph.values[value].name),
    threads: settings?.threads ?? threadCount(largestOf(slices.map((slice) => slice.memoryMb))),
    inputs: request,
    fixedInputs: fixed,
    outputs: result ?? [],
    slices,
  };
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

function draftFiles(slice: number, chunks: SliceChunks): Pick<SliceDraft, 'model' | 'weights'> {
  const name = sliceName(slice);
  const draft = (file: string, content: readonly Chunk[]): FileDraft => ({
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
