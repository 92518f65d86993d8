/** Emits a wired slice as the chunks of its two files: the graph and the weights. */
import { type SliceManifest, MANIFEST_KEY } from '../../contract/slice-manifest';
import { quoted } from '../errors';
import { padding, encodeMetadata, encodeValueInfo } from '../onnx/encode';
import { onnxDataType, isBindable } from '../onnx/data-type';
import { GRAPH } from '../onnx/fields';
import { type PlaceWeight, FREE_INITIALIZERS_IR_VERSION, encodeModel } from '../onnx/encode-model';
import { calledFunctions } from '../onnx/local-functions';
import type { Chunk, Model, ValueIndex, SourceFile } from '../onnx/model';
import type { SliceWiring } from '../plan/wiring/wiring';
import type { ProvenShapes } from '../shapes/proven-shapes';
import type { ValueTypes } from '../shapes/value-types';
import type { PlanDraft } from '../plan/file/plan';

/** ONNX recommends offsets at multiples of the page size, so that runtimes can map weights into memory. */
const PAGE_BYTES = 4096;
/** Smaller weights are packed more densely, because mapping them would save nothing. */
const PAGE_ALIGNED_BYTES = 64 * 1024;
const SMALL_ALIGNMENT = 64;

export interface SliceChunks {
  readonly model: readonly Chunk[];
  readonly weights: readonly Chunk[];
}

export function emitSlice(
  model: Model,
  { types, provenShapes }: { readonly types: ValueTypes; readonly provenShapes: ProvenShapes },
  slice: SliceWiring,
  manifest: SliceManifest,
  weightsFile: string,
): SliceChunks {
  const { graph } = model;
  const weights = new WeightsLayout(weightsFile);
  const nodes = slice.allNodes.map((index) => graph.nodes[index]);
  // A Scan requires shapes. It cannot infer them unless the inputs have some, so it gets inferred ones if need be.
  const needsShapes = nodes.some(({ operators }) => operators.some(({ opType }) => opType === 'Scan'));
  // ONNX Runtime does not check outputs, so they may have the rank that the model declares for them.
  const ranks = new Map(graph.outputs.map(({ value, type }) => [value, type.shape?.map(() => null)]));
  const declare = (field: number, value: ValueIndex): Uint8Array => {
    const { dtype, shape: inferred } = types[value];
    if (dtype === undefined || !isBindable(dtype))
      throw new Error(`${quoted(graph.values[value].name)} cannot be declared`);
    const shape =
      (needsShapes && field === GRAPH.input ? inferred : null) ??
      provenShapes[value] ??
      (field === GRAPH.output ? ranks.get(value) : undefined);
    return encodeValueInfo(field, graph.values[value].name, {
      dataType: onnxDataType(dtype),
      ...(shape && { shape }),
    });
  };
  const defaults = new Set(slice.defaults);
  const inputs = [
    ...slice.inputs.map(({ value }): Chunk => {
      const { input } = graph.values[value];
      return input === undefined ? declare(GRAPH.input, value) : graph.inputs[input].field;
    }),
    ...graph.inputs.filter(({ value }) => defaults.has(value)).map(({ field }): Chunk => field),
    ...initializersAsInputs(model, slice),
  ];
  // A function optimizes its only slice, and some fusions need the shapes that the model states.
  const isWhole = manifest.slices === 1;
  const stated = new Map(graph.outputs.map(({ value, field }) => [value, field]));
  const output = (value: ValueIndex): Chunk =>
    (isWhole ? stated.get(value) : undefined) ?? declare(GRAPH.output, value);
  const chunks = encodeModel(model, {
    nodes,
    initializers: slice.initializers,
    declarations: [
      ...inputs,
      ...[...slice.outputs, ...slice.pinned].map(output),
      ...(isWhole ? graph.valueInfos : []),
    ],
    functions: calledFunctions(model, nodes),
    metadata: [encodeMetadata(MANIFEST_KEY, JSON.stringify(manifest))],
    placeWeight: weights.place,
  });
  return { model: chunks, weights: weights.chunks };
}

/** The whole model, as one pair of files. @param weightsFile name of the file with the weights */
export function emitWhole(model: Model, weightsFile: string): SliceChunks {
  const { graph } = model;
  const initializers = graph.initializers.map(({ value }) => value);
  const weights = new WeightsLayout(weightsFile);
  const chunks = encodeModel(model, {
    ...{ nodes: graph.nodes, initializers, functions: model.functions, metadata: [] },
    declarations: [
      ...[...graph.inputs, ...graph.outputs].map(({ field }) => field),
      ...initializersAsInputs(model, { initializers }),
      ...graph.valueInfos,
    ],
    placeWeight: weights.place,
  });
  return { model: chunks, weights: weights.chunks };
}

/**
 * Declares initializers as inputs where the format requires it. A graph that ONNX Runtime has saved may lack these declarations.
 * ONNX Runtime never takes such an initializer from a request.
 */
function initializersAsInputs(
  { graph, irVersion }: Model,
  { initializers }: Pick<SliceWiring, 'initializers'>,
): Uint8Array[] {
  if (irVersion >= FREE_INITIALIZERS_IR_VERSION) return [];
  return initializers.flatMap((value) => {
    const { name, input, initializer } = graph.values[value];
    if (input !== undefined || initializer === undefined) return [];
    const { dataType, dims } = graph.initializers[initializer].tensor;
    return [encodeValueInfo(GRAPH.input, name, { dataType, shape: dims })];
  });
}

class WeightsLayout {
  readonly chunks: Chunk[] = [];
  private length = 0;

  constructor(private readonly location: string) {}

  readonly place: PlaceWeight = ({ byteLength, data }) => {
    const gap = padding(this.length, byteLength >= PAGE_ALIGNED_BYTES ? PAGE_BYTES : SMALL_ALIGNMENT);
    if (gap.length > 0) this.chunks.push(gap);
    const offset = this.length + gap.length;
    this.chunks.push(data);
    this.length = offset + byteLength;
    return { location: this.location, offset };
  };
}

export interface CompiledModel {
  readonly plan: PlanDraft;
  readonly source: readonly SourceFile[];
  /** The files that the ranges in `slices` refer to: those of the graph that was cut. */
  readonly files: readonly SourceFile[];
  readonly slices: readonly SliceChunks[];
}
