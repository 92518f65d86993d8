/** The fields of a plan file: kinds, ranges and names. */
import { sliceName } from '../../../contract/keys';
import type { SourcedTensor, TensorSource } from '../../../contract/slice-manifest';
import { type Dimension, type TensorSpec, TENSOR_DATA_TYPES } from '../../../contract/tensors';
import { unusableName } from '../../dataflow/crossing';
import {
  MAX_GRAPH_ENTRIES,
  MAX_NAME_BYTES,
  MAX_NODES,
  MAX_PROTOBUF_BYTES,
  MAX_RANK,
} from '../../onnx/limits';
import { OPTIMIZATION_LEVELS } from '../../optimize/level';
import {
  type CallSeconds,
  type NodeRun,
  type PlannedFile,
  type PlannedSlice,
  type SlicePlan,
  PLAN_VERSION,
} from '../../plan/file/plan';
import { type PlannedInt8Weights, MAX_INEXACT, MAX_INEXACT_LENGTH } from '../../plan/int8-weights';
import type { DataSource } from '../../shapes/data-source';
import { type PlannedSplit, MAX_PARTS, SPLIT_AXES } from '../../split/split';
import { threadCount } from '../../plan/sizes/estimate';
import * as quotas from '../../plan/sizes/lambda-quotas';
import {
  type Reader,
  aList,
  aListOf,
  aRecord,
  anObject,
  matching,
  nullable,
  numberFrom,
  oneOf,
  optional,
  text,
  trueOrFalse,
  wholeNumber,
} from '../../json-readers';

/** Longest file name that file systems allow. */
const MAX_FILE_NAME = 255;

const SIZE = wholeNumber(0, Number.MAX_SAFE_INTEGER);
const DIGEST = matching(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits');
export const VERSION = matching(/^\d[0-9A-Za-z.+-]{0,63}$/, 'a version such as 1.2.3');

const TENSOR_NAME = text(MAX_NAME_BYTES, (name) =>
  unusableName(name) === undefined ? undefined : 'be a name that tensors may have',
);
const DIMENSION_NAME = text(MAX_NAME_BYTES);

const FILE_NAME = text(MAX_FILE_NAME, (name) =>
  name === '' || /[/\0]/.test(name) ? 'be a file name without a folder' : undefined,
);

const DIMENSION: Reader<Dimension> = nullable((value, place) =>
  typeof value === 'string' ? DIMENSION_NAME(value, place) : SIZE(value, place),
);

const TENSOR = {
  name: TENSOR_NAME,
  dtype: oneOf(TENSOR_DATA_TYPES),
  shape: nullable(aList(DIMENSION, MAX_RANK)),
};

const SPEC = anObject<TensorSpec>(TENSOR);
const SPECS = aList(SPEC, MAX_GRAPH_ENTRIES);

function sourcedTensors(last: number): Reader<SourcedTensor[]> {
  const source = sourceUpTo(last);
  return aList(anObject<SourcedTensor>({ ...TENSOR, source }), MAX_GRAPH_ENTRIES);
}

const FROM_REQUEST = anObject<{ readonly from: 'request' }>({ from: oneOf(['request']) });

function sourceUpTo(last: number): Reader<TensorSource> {
  const fromSlice = anObject<{ readonly from: 'slice'; readonly slice: number }>({
    from: oneOf(['slice']),
    slice: wholeNumber(0, last),
  });
  return (value, place) => {
    const { from } = (value ?? {}) as { readonly from?: unknown };
    return from === 'request' ? FROM_REQUEST(value, place) : fromSlice(value, place);
  };
}

export function run(nodes: number): Reader<NodeRun> {
  const indexes = aList(wholeNumber(0, nodes - 1), 2, 2);
  return (value, place) => {
    const [first, last] = indexes(value, place);
    if (first <= last) return [first, last];
    throw place.faultOf('end at its beginning or later', `${first} to ${last}`);
  };
}

function plannedFile(name: string, most: number): Reader<PlannedFile> {
  return anObject<PlannedFile>({ file: oneOf([name]), bytes: wholeNumber(1, most), sha256: DIGEST });
}

function plannedSlice(slice: number, nodes: number): Reader<PlannedSlice> {
  const name = sliceName(slice);
  return anObject<PlannedSlice>({
    nodes: aList(run(nodes), MAX_NODES),
    model: plannedFile(`${name}.onnx`, MAX_PROTOBUF_BYTES),
    weights: optional(plannedFile(`${name}.weights`, Number.MAX_SAFE_INTEGER)),
    inputs: sourcedTensors(slice - 1),
    outputs: SPECS,
    weightBytes: SIZE,
    activationBytes: SIZE,
    readBytes: SIZE,
    writeBytes: SIZE,
    peakMemoryBytes: SIZE,
    memoryMb: wholeNumber(quotas.MIN_LAMBDA_MEMORY_MB),
    ephemeralStorageMb: wholeNumber(quotas.MIN_EPHEMERAL_STORAGE_MB),
    timeoutSeconds: wholeNumber(1, quotas.MAX_LAMBDA_TIMEOUT_SECONDS),
    coldSeconds: optional(anObject<CallSeconds>({ planned: numberFrom(0), slowest: numberFrom(0) })),
  });
}

const SPLIT: Reader<PlannedSplit> = anObject({
  node: wholeNumber(0, MAX_NODES),
  axis: oneOf(SPLIT_AXES),
  parts: aList(wholeNumber(1), MAX_PARTS, 2),
  name: text(MAX_NAME_BYTES),
  operator: text(MAX_NAME_BYTES),
  weight: text(MAX_NAME_BYTES),
  weightBytes: SIZE,
  mostThreads: optional(wholeNumber(1)),
});

const DATA_SIZES: Reader<DataSource> = anObject({
  inputs: text(MAX_NAME_BYTES),
  isGenerated: trueOrFalse,
  failure: optional(text(MAX_NAME_BYTES)),
});

const INT8_WEIGHTS: Reader<PlannedInt8Weights> = anObject({
  count: wholeNumber(0, MAX_GRAPH_ENTRIES),
  isRewritten: trueOrFalse,
  inexact: aList(text(MAX_INEXACT_LENGTH), MAX_INEXACT),
});

export const MODEL: Reader<SlicePlan['model']> = anObject({
  file: FILE_NAME,
  nodes: wholeNumber(0, MAX_NODES),
  graphDigest: DIGEST,
});

/** The number of slices: each runs at least one node, unless there is only one slice. */
export function slicesOf(nodes: number): Reader<unknown[]> {
  return aList((slice) => slice, Math.max(1, nodes), 1);
}

/**
 * Reads the fields one by one; `read-plan.ts` compares them.
 *
 * @param nodes number of nodes of the plan's model
 * @param slices number of slices of the plan
 */
export function planOf(nodes: number, slices: number): Reader<SlicePlan> {
  return anObject<SlicePlan>({
    version: oneOf([PLAN_VERSION]),
    library: VERSION,
    onnxRuntime: VERSION,
    graphOptimization: oneOf(OPTIMIZATION_LEVELS),
    planDigest: DIGEST,
    model: MODEL,
    dimensions: aRecord(DIMENSION_NAME, wholeNumber(1)),
    assumedDimensions: aList(DIMENSION_NAME, MAX_GRAPH_ENTRIES),
    boundedTensors: aList(text(MAX_NAME_BYTES), MAX_GRAPH_ENTRIES),
    dataSizes: optional(DATA_SIZES),
    prepacking: optional(trueOrFalse),
    threads: wholeNumber(1, threadCount(quotas.MAX_LAMBDA_MEMORY_MB)),
    inputs: SPECS,
    fixedInputs: aList(TENSOR_NAME, MAX_GRAPH_ENTRIES),
    outputs: sourcedTensors(slices - 1),
    splits: optional(aList(SPLIT, MAX_NODES)),
    int8Weights: optional(INT8_WEIGHTS),
    slices: aListOf((slice) => plannedSlice(slice, nodes), slices),
  });
}
