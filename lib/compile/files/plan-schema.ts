/** The fields of a plan file: kinds, ranges and names. */
import { sliceName } from '../../../contract/keys';
import type { SourcedTensor, TensorSource } from '../../../contract/slice-manifest';
import { type Dimension, type TensorSpec, TENSOR_DATA_TYPES } from '../../../contract/tensors';
import { unusableName } from '../../dataflow/crossing';
import * as limits from '../../onnx/limits';
import { OPTIMIZATION_LEVELS } from '../../optimize/level';
import * as plans from '../../plan/file/plan';
import { type PlannedInt8Weights, MAX_INEXACT, MAX_INEXACT_LENGTH } from '../../plan/int8-weights';
import type { DataSource } from '../../shapes/data-source';
import { type PlannedSplit, MAX_PARTS, SPLIT_AXES } from '../../split/split';
import { threadCount } from '../../plan/sizes/estimate';
import * as quotas from '../../plan/sizes/lambda-quotas';
import * as read from '../../json-readers';

/** Longest file name that file systems allow. */
const MAX_FILE_NAME = 255;

const SIZE = read.wholeNumber(0, Number.MAX_SAFE_INTEGER);
const DIGEST = read.matching(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits');
const VERSION = read.matching(/^\d[0-9A-Za-z.+-]{0,63}$/, 'a version such as 1.2.3');

const TENSOR_NAME = read.text(limits.MAX_NAME_BYTES, (name) =>
  unusableName(name) === undefined ? undefined : 'be a name that tensors may have',
);
const DIMENSION_NAME = read.text(limits.MAX_NAME_BYTES);

const FILE_NAME = read.text(MAX_FILE_NAME, (name) =>
  name === '' || /[/\0]/.test(name) ? 'be a file name without a folder' : undefined,
);

const DIMENSION: read.Reader<Dimension> = read.nullable((value, place) =>
  typeof value === 'string' ? DIMENSION_NAME(value, place) : SIZE(value, place),
);

const TENSOR = {
  name: TENSOR_NAME,
  dtype: read.oneOf(TENSOR_DATA_TYPES),
  shape: read.nullable(read.aList(DIMENSION, limits.MAX_RANK)),
};

const SPEC = read.anObject<TensorSpec>(TENSOR);
const SPECS = read.aList(SPEC, limits.MAX_GRAPH_ENTRIES);

function sourcedTensors(last: number): read.Reader<SourcedTensor[]> {
  const source = sourceUpTo(last);
  return read.aList(read.anObject<SourcedTensor>({ ...TENSOR, source }), limits.MAX_GRAPH_ENTRIES);
}

const FROM_REQUEST = read.anObject<{ readonly from: 'request' }>({ from: read.oneOf(['request']) });

function sourceUpTo(last: number): read.Reader<TensorSource> {
  const fromSlice = read.anObject<{ readonly from: 'slice'; readonly slice: number }>({
    from: read.oneOf(['slice']),
    slice: read.wholeNumber(0, last),
  });
  return (value, place) => {
    const { from } = (value ?? {}) as { readonly from?: unknown };
    return from === 'request' ? FROM_REQUEST(value, place) : fromSlice(value, place);
  };
}

export function run(nodes: number): read.Reader<plans.NodeRun> {
  const indexes = read.aList(read.wholeNumber(0, nodes - 1), 2, 2);
  return (value, place) => {
    const [first, last] = indexes(value, place);
    if (first <= last) return [first, last];
    throw place.faultOf('end at its beginning or later', `${first} to ${last}`);
  };
}

function plannedFile(name: string, most: number): read.Reader<plans.PlannedFile> {
  return read.anObject<plans.PlannedFile>({
    file: read.oneOf([name]),
    bytes: read.wholeNumber(1, most),
    sha256: DIGEST,
  });
}

function plannedSlice(slice: number, nodes: number): read.Reader<plans.PlannedSlice> {
  const name = sliceName(slice);
  return read.anObject<plans.PlannedSlice>({
    nodes: read.aList(run(nodes), limits.MAX_NODES),
    model: plannedFile(`${name}.onnx`, limits.MAX_PROTOBUF_BYTES),
    weights: read.optional(plannedFile(`${name}.weights`, Number.MAX_SAFE_INTEGER)),
    inputs: sourcedTensors(slice - 1),
    outputs: SPECS,
    weightBytes: SIZE,
    activationBytes: SIZE,
    readBytes: SIZE,
    writeBytes: SIZE,
    peakMemoryBytes: SIZE,
    memoryMb: read.wholeNumber(quotas.MIN_LAMBDA_MEMORY_MB),
    optimizedMemoryMb: read.optional(read.wholeNumber(quotas.MIN_LAMBDA_MEMORY_MB)),
    ephemeralStorageMb: read.wholeNumber(quotas.MIN_EPHEMERAL_STORAGE_MB),
    timeoutSeconds: read.wholeNumber(1, quotas.MAX_LAMBDA_TIMEOUT_SECONDS),
    coldSeconds: read.optional(
      read.anObject<plans.CallSeconds>({ planned: read.numberFrom(0), slowest: read.numberFrom(0) }),
    ),
  });
}

const SPLIT: read.Reader<PlannedSplit> = read.anObject({
  node: read.wholeNumber(0, limits.MAX_NODES),
  axis: read.oneOf(SPLIT_AXES),
  parts: read.aList(read.wholeNumber(1), MAX_PARTS, 2),
  name: read.text(limits.MAX_NAME_BYTES),
  operator: read.text(limits.MAX_NAME_BYTES),
  weight: read.text(limits.MAX_NAME_BYTES),
  weightBytes: SIZE,
  mostThreads: read.optional(read.wholeNumber(1)),
});

const DATA_SIZES: read.Reader<DataSource> = read.anObject({
  inputs: read.text(limits.MAX_NAME_BYTES),
  isGenerated: read.trueOrFalse,
  failure: read.optional(read.text(limits.MAX_NAME_BYTES)),
});

const INT8_WEIGHTS: read.Reader<PlannedInt8Weights> = read.anObject({
  count: read.wholeNumber(0, limits.MAX_GRAPH_ENTRIES),
  isRewritten: read.trueOrFalse,
  inexact: read.aList(read.text(MAX_INEXACT_LENGTH), MAX_INEXACT),
});

export const MODEL: read.Reader<plans.SlicePlan['model']> = read.anObject({
  file: FILE_NAME,
  nodes: read.wholeNumber(0, limits.MAX_NODES),
  graphDigest: DIGEST,
});

/** The number of slices: each runs at least one node, unless there is only one slice. */
export function slicesOf(nodes: number): read.Reader<unknown[]> {
  return read.aList((slice) => slice, Math.max(1, nodes), 1);
}

/**
 * Reads the fields one by one; `read-plan.ts` compares them.
 *
 * @param nodes number of nodes of the plan's model
 * @param slices number of slices of the plan
 */
export function planOf(nodes: number, slices: number): read.Reader<plans.SlicePlan> {
  return read.anObject<plans.SlicePlan>({
    version: read.oneOf([plans.PLAN_VERSION]),
    library: VERSION,
    onnxRuntime: VERSION,
    graphOptimization: read.oneOf(OPTIMIZATION_LEVELS),
    planDigest: DIGEST,
    model: MODEL,
    dimensions: read.aRecord(DIMENSION_NAME, read.wholeNumber(1)),
    assumedDimensions: read.aList(DIMENSION_NAME, limits.MAX_GRAPH_ENTRIES),
    boundedTensors: read.aList(read.text(limits.MAX_NAME_BYTES), limits.MAX_GRAPH_ENTRIES),
    dataSizes: read.optional(DATA_SIZES),
    prepacking: read.optional(read.trueOrFalse),
    threads: read.wholeNumber(1, threadCount(quotas.MAX_LAMBDA_MEMORY_MB)),
    inputs: SPECS,
    fixedInputs: read.aList(TENSOR_NAME, limits.MAX_GRAPH_ENTRIES),
    outputs: sourcedTensors(slices - 1),
    splits: read.optional(read.aList(SPLIT, limits.MAX_NODES)),
    int8Weights: read.optional(INT8_WEIGHTS),
    slices: read.aListOf((slice) => plannedSlice(slice, nodes), slices),
  });
}
