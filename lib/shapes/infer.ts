/** Infers types and shapes of a model's values with ONNX Runtime in a child process, and caches them by digest. */
import { hash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { readCached, writeCached, cacheFolder } from '../cache/folder';
import { quoted } from '../errors';
import { dataTypeName } from '../onnx/data-type';
import type { Chunk, Model, NodeIndex, ValueIndex } from '../onnx/model';
import { writeChunks } from '../onnx/write-chunks';
import { deadlineMs } from '../onnx/limits';
import { onnxRuntimeVersion } from '../host/packages';
import { ChildError, askChild } from '../host/run-child';
import { withTemporaryFolder } from '../host/folders';
import type { InferAnswer, InferJob, SessionOutput } from './infer-child';
import { type Skeleton, ZEROS_FILE, buildFoldable, buildSkeleton } from './skeleton';
import { type DimensionSizes, type ValueTypes, UNKNOWN_TYPE, givenType } from './value-types';
import { fingerprint } from '../cache/fingerprint';
import { submessage } from '../onnx/encode';
import { replaceFields } from '../onnx/external-bodies';
import { ATTRIBUTE, FUNCTION, GRAPH, MODEL, NODE, TENSOR_TYPE, TYPE, VALUE_INFO } from '../onnx/fields';
import { type Field, type Span, ByteSource, content, fields } from '../onnx/wire';

/** ONNX Runtime loads graphs of thousands of nodes in seconds. */
const BASE_TIMEOUT_MS = 60_000;

/** How long ONNX Runtime may take to infer types. It hangs when that is not enough. */
export function inferTimeoutMs(model: Model): number {
  return deadlineMs(BASE_TIMEOUT_MS, model);
}

/** Changes when the child process answers differently to the same question. */
const ANSWER_FORMAT = 2;

/**
 * Returns the type of every value of the graph, with the shapes that ONNX Runtime can infer without computing anything, or the error
 * when ONNX Runtime refuses the model.
 */
export function inferTypes(
  model: Model,
  nodesInOrder: readonly NodeIndex[],
  sizes: DimensionSizes,
): ValueTypes | ChildError {
  const { graph } = model;
  const skeleton = buildSkeleton(model, nodesInOrder, sizes);
  const isScalar = (value: ValueIndex): boolean => {
    const { producer } = graph.values[value];
    return producer !== undefined && graph.nodes[producer].constant?.dims.length === 0;
  };
  const outputs = askOnnxRuntime(model, skeleton, { sizes, foldsConstants: false, isScalar });
  if (outputs instanceof ChildError) return outputs;
  const types = graph.values.map((_, index) => givenType(graph, index) ?? UNKNOWN_TYPE);
  skeleton.exposed.forEach((value, place) => {
    const { elementType, shape } = outputs[place];
    if (elementType !== undefined) types[value] = { dtype: dataTypeName(elementType), shape };
  });
  return types;
}

/**
 * Returns the types again, with the shapes that ONNX Runtime knows for these sizes after it has folded constants.
 *
 * @param types what `inferTypes` has returned for the model without sizes
 * @param timeoutMs how long to wait for an answer
 * @returns the error when ONNX Runtime refuses the model with these sizes
 */
export function inferFoldedTypes(
  model: Model,
  nodesInOrder: readonly NodeIndex[],
  sizes: DimensionSizes,
  types: ValueTypes,
  timeoutMs: number,
): ValueTypes | ChildError {
  const skeleton = buildFoldable(model, nodesInOrder, sizes);
  const isScalar = (value: ValueIndex): boolean => types[value].shape?.length === 0;
  const outputs = askOnnxRuntime(model, skeleton, { sizes, foldsConstants: true, isScalar, timeoutMs });
  if (outputs instanceof ChildError) return outputs;
  const folded = [...types];
  skeleton.exposed.forEach((value, place) => {
    const { elementType, shape } = outputs[place];
    if (elementType !== undefined) folded[value] = { ...types[value], shape };
  });
  return folded;
}

interface Question {
  readonly sizes: DimensionSizes;
  readonly foldsConstants: boolean;
  readonly isScalar: (value: ValueIndex) => boolean;
  /** Whether ONNX Runtime sees the types that bodies and functions declare, which it believes. @default 'kept' */
  readonly bodyTypes?: 'kept' | 'dropped';
  readonly timeoutMs?: number;
}

export function askOnnxRuntime(
  model: Model,
  skeleton: Skeleton,
  question: Question,
): readonly SessionOutput[] | ChildError {
  const { foldsConstants, isScalar, bodyTypes, timeoutMs = inferTimeoutMs(model) } = question;
  if (skeleton.exposed.length === 0) return [];
  return withTemporaryFolder((folder) => {
    const modelPath = path.join(folder, 'skeleton.onnx');
    const digest = writeChunks(model.files, skeleton.chunks, modelPath);
    const cache = cacheFolder('types');
    const parts = [
      ANSWER_FORMAT,
      onnxRuntimeVersion(),
      foldsConstants,
      bodyTypes,
      skeleton.zerosBytes,
      digest,
    ];
    const key = hash('sha256', JSON.stringify(parts));
    const cached = readCached(cache, key) as readonly SessionOutput[] | null | undefined;
    if (cached?.length === skeleton.exposed.length) return cached;
    const zeros = path.join(folder, ZEROS_FILE);
    fs.writeFileSync(zeros, '');
    fs.truncateSync(zeros, skeleton.zerosBytes);
    const scalars = skeleton.exposed.flatMap((value, place) => (isScalar(value) ? [place] : []));
    const asked = bodyTypes === 'dropped' ? withBareBodies(modelPath) : modelPath;
    const job: InferJob = { modelPath: asked, foldsConstants, scalars };
    const jobPath = path.join(folder, 'job.json');
    fs.writeFileSync(jobPath, JSON.stringify(job));
    try {
      const script = 'lib/shapes/infer-child.js';
      const expectation = expected(model, question.sizes);
      const { outputs } = askChild({ script, args: [jobPath], timeoutMs, ...expectation }) as InferAnswer;
      writeCached(cache, key, outputs);
      return outputs;
    } catch (error) {
      if (error instanceof ChildError) return error;
      throw error;
    }
  });
}

function expected(model: Model, sizes: DimensionSizes): { what: string; advice: string } {
  const dimensions = Object.entries(sizes).map(([name, size]) => `${name}=${size}`);
  const check = 'check that it runs there without slicing';
  return {
    what: `model ${quoted(model.files[0].path)} must load in ONNX Runtime ${onnxRuntimeVersion()}`,
    advice: dimensions.length > 0 ? `${check}, with the dimensions ${dimensions.join(', ')}` : check,
  };
}

type Message = 'model' | 'graph' | 'node' | 'attribute' | 'body' | 'function' | 'value' | 'type' | 'tensor';

const DROPPED = 'dropped';

/**
 * By message, the fields that lead to declared shapes. The top-level graph keeps its declarations. Element types stay, since
 * ONNX Runtime requires those of a body's inputs. Types of sequences and optionals go as a whole.
 */
const FIELDS: Readonly<Record<Message, Readonly<Record<number, Message | typeof DROPPED | undefined>>>> = {
  model: { [MODEL.graph]: 'graph', [MODEL.functions]: 'function' },
  graph: { [GRAPH.node]: 'node' },
  node: { [NODE.attribute]: 'attribute' },
  attribute: { [ATTRIBUTE.g]: 'body', [ATTRIBUTE.graphs]: 'body' },
  body: {
    [GRAPH.node]: 'node',
    [GRAPH.input]: 'value',
    [GRAPH.output]: 'value',
    [GRAPH.valueInfo]: DROPPED,
  },
  function: {
    [FUNCTION.node]: 'node',
    [FUNCTION.attributeProto]: 'attribute',
    [FUNCTION.valueInfo]: DROPPED,
  },
  value: { [VALUE_INFO.type]: 'type' },
  type: { [TYPE.tensorType]: 'tensor' },
  tensor: { [TENSOR_TYPE.shape]: DROPPED },
};

function withBareBodies(modelPath: string): string {
  const source = new ByteSource(modelPath);
  try {
    const chunks = stripped(source, { start: 0, end: source.size }, 'model');
    if (chunks === undefined) return modelPath;
    const { size } = source;
    const bare = path.join(path.dirname(modelPath), 'bare.onnx');
    writeChunks([{ path: modelPath, names: [], size, fingerprint: fingerprint(modelPath) }], chunks, bare);
    return bare;
  } finally {
    source.close();
  }
}

function stripped(source: ByteSource, span: Span, message: Message): Chunk[] | undefined {
  return replaceFields<Chunk>(source, span, (field) => {
    const kind = kindOf(source, field, message);
    if (kind === undefined || kind === DROPPED) return kind && [];
    const inner = stripped(source, content(field), kind);
    return inner && submessage(field.number, inner);
  });
}

function kindOf(source: ByteSource, field: Field, message: Message): Message | typeof DROPPED | undefined {
  const kind = FIELDS[message][field.number];
  if (kind !== 'type') return kind;
  const isTensor = [...fields(source, content(field))].some(({ number }) => number === TYPE.tensorType);
  return isTensor ? kind : DROPPED;
}
