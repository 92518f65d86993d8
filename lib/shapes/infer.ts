/** Infers types and shapes of a model's values with ONNX Runtime in a child process, and caches them by digest. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { readCached, writeCached } from '../cache/entries';
import { cacheFolder } from '../cache/folder';
import { printable, quoted } from '../errors';
import { dataTypeName } from '../onnx/data-type';
import type { Graph, Model, NodeIndex, ValueIndex } from '../onnx/model';
import { writeChunks } from '../onnx/write-chunks';
import { deadlineMs } from '../onnx/deadline';
import { onnxRuntimeVersion } from '../host/onnxruntime';
import { ChildError, askChild } from '../host/run-child';
import { withTemporaryFolder } from '../host/temporary-folder';
import { withBareBodies } from './bare-bodies';
import type { InferAnswer, InferJob, SessionOutput } from './infer-child';
import { type Skeleton, ZEROS_FILE, buildFoldable, buildSkeleton } from './skeleton';
import { type DimensionSizes, type ValueTypes, UNKNOWN_TYPE, givenType } from './value-types';

/** ONNX Runtime loads graphs of thousands of nodes in seconds. */
const BASE_TIMEOUT_MS = 60_000;

/** How long ONNX Runtime may take to infer types. It hangs when that is not enough. */
export function inferTimeoutMs(model: Model): number {
  return deadlineMs(BASE_TIMEOUT_MS, model);
}

/** ONNX Runtime does not load the model, or crashes or hangs. */
export class RefusedModelError extends ChildError {}

/** Changes when the child process answers differently to the same question. */
const ANSWER_FORMAT = 2;

/**
 * Returns the type of every value of the graph, with the shapes that ONNX Runtime can infer without computing anything.
 *
 * @param nodesInOrder all nodes in a topological order
 * @param sizes sizes of symbolic dimensions of the graph's inputs
 * @throws SlicedInferenceError when ONNX Runtime refuses the model
 */
export function inferTypes(
  model: Model,
  nodesInOrder: readonly NodeIndex[],
  sizes: DimensionSizes,
): ValueTypes {
  const { graph } = model;
  const skeleton = buildSkeleton(model, nodesInOrder, sizes);
  const outputs = askOnnxRuntime(model, skeleton, {
    sizes,
    foldsConstants: false,
    isScalar: constantScalars(graph),
  });
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
): ValueTypes | RefusedModelError {
  const skeleton = buildFoldable(model, nodesInOrder, sizes);
  const isScalar = (value: ValueIndex): boolean => types[value].shape?.length === 0;
  const outputs = unlessRefused(() =>
    askOnnxRuntime(model, skeleton, { sizes, foldsConstants: true, isScalar, timeoutMs }),
  );
  if (outputs instanceof RefusedModelError) return outputs;
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
  /** Whether a value is known to have no dimensions. */
  readonly isScalar: (value: ValueIndex) => boolean;
  /**
   * Whether ONNX Runtime sees the types that bodies and functions declare, which it believes.
   *
   * @default 'kept'
   */
  readonly bodyTypes?: 'kept' | 'dropped';
  /** @default inferTimeoutMs(model) */
  readonly timeoutMs?: number;
}

/** A cache entry of a model that ONNX Runtime refuses. */
interface CachedRefusal {
  /** What ONNX Runtime says. */
  readonly refusal: string;
}

/**
 * The types of what the skeleton exposes.
 *
 * @throws RefusedModelError when ONNX Runtime refuses the model
 */
export function askOnnxRuntime(
  model: Model,
  skeleton: Skeleton,
  question: Question,
): readonly SessionOutput[] {
  if (skeleton.exposed.length === 0) return [];
  return withTemporaryFolder((folder) => {
    const modelPath = path.join(folder, 'skeleton.onnx');
    const digest = writeChunks(model.files, skeleton.chunks, modelPath);
    const cache = cacheFolder('types');
    const key = createHash('sha256')
      .update(
        JSON.stringify([
          ANSWER_FORMAT,
          onnxRuntimeVersion(),
          question.foldsConstants,
          question.bodyTypes,
          skeleton.zerosBytes,
          digest,
        ]),
      )
      .digest('hex');
    const cached = readCached(cache, key) as readonly SessionOutput[] | CachedRefusal | undefined;
    if (isRefusal(cached)) throw refusedModel(model, question.sizes, cached.refusal);
    if (cached?.length === skeleton.exposed.length) return cached;
    const zeros = path.join(folder, ZEROS_FILE);
    fs.writeFileSync(zeros, '');
    fs.truncateSync(zeros, skeleton.zerosBytes);
    const { foldsConstants, isScalar, bodyTypes } = question;
    const scalars = skeleton.exposed.flatMap((value, place) => (isScalar(value) ? [place] : []));
    const asked = bodyTypes === 'dropped' ? withBareBodies(modelPath) : modelPath;
    const job = { modelPath: asked, foldsConstants, scalars };
    const outputs = unlessRefused(() => inferOutputs(model, job, question));
    if (outputs instanceof RefusedModelError) {
      if (isLasting(outputs)) writeCached(cache, key, { refusal: outputs.got } satisfies CachedRefusal);
      throw outputs;
    }
    writeCached(cache, key, outputs);
    return outputs;
  });
}

/**
 * Returns the types of the outputs of `job.modelPath`, a file made of `model`.
 *
 * @throws RefusedModelError when ONNX Runtime refuses it
 */
function inferOutputs(
  model: Model,
  job: InferJob,
  { sizes = {}, timeoutMs = inferTimeoutMs(model) }: Partial<Question> = {},
): readonly SessionOutput[] {
  const jobPath = `${job.modelPath}.json`;
  fs.writeFileSync(jobPath, JSON.stringify(job));
  const { outputs } = askChild({
    refusal: RefusedModelError,
    script: 'lib/shapes/infer-child.js',
    args: [jobPath],
    timeoutMs,
    ...expectation(model, sizes),
  }) as InferAnswer;
  return outputs;
}

function expectation(model: Model, sizes: DimensionSizes): { what: string; advice: string } {
  const dimensions = Object.entries(sizes).map(([name, size]) => `${name}=${size}`);
  return {
    what: `model ${quoted(model.files[0].path)} must load in ONNX Runtime ${onnxRuntimeVersion()}`,
    advice:
      dimensions.length > 0
        ? `check that it runs there without slicing, with the dimensions ${dimensions.join(', ')}`
        : 'check that it runs there without slicing',
  };
}

/** The error of an earlier process. Another program may have changed its text. */
function refusedModel(model: Model, sizes: DimensionSizes, got: string): RefusedModelError {
  const { what, advice } = expectation(model, sizes);
  return new RefusedModelError(what, printable(got, MAX_REFUSAL), advice, 'error');
}

/** Most characters of what ONNX Runtime says. */
const MAX_REFUSAL = 400;

function isRefusal(cached: unknown): cached is CachedRefusal {
  return typeof (cached as CachedRefusal | undefined | null)?.refusal === 'string';
}

/** Whether ONNX Runtime would say the same again. A process may also end, or take too long, because others need the machine. */
function isLasting({ failure, got }: RefusedModelError): boolean {
  return failure === 'error' && !/alloc|memory/i.test(got);
}

/** Returns the error if ONNX Runtime refuses the model: then the caller asks for less. */
export function unlessRefused<Result>(ask: () => Result): Result | RefusedModelError {
  try {
    return ask();
  } catch (error) {
    if (error instanceof RefusedModelError) return error;
    throw error;
  }
}

function constantScalars({ values, nodes }: Graph): (value: ValueIndex) => boolean {
  return (value) => {
    const { producer } = values[value];
    return producer !== undefined && nodes[producer].constant?.dims.length === 0;
  };
}
