/** Types and shapes of a model's values, from ONNX Runtime itself, in a child process, cached by digest. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { cacheFolder, readCached, writeCached } from '../cache-folder';
import { SlicedInferenceError, printable, quoted } from '../errors';
import { dataTypeName } from '../onnx/data-type';
import type { Model, NodeIndex } from '../onnx/model';
import { writeChunks } from '../onnx/write-chunks';
import { onnxRuntimeVersion } from '../onnxruntime';
import { builtFile } from '../package-files';
import type { InferAnswer, SessionOutput } from './infer-child';
import type { Skeleton } from './skeleton';
import { ZEROS_FILE, buildSkeleton } from './skeleton';
import type { DimensionSizes, ValueTypes } from './value-types';
import { UNKNOWN_TYPE, givenType } from './value-types';

/** ONNX Runtime reads the largest public graphs in seconds; a minute means that it hangs. */
const TIMEOUT_MS = 60_000;

/** Types and shapes of at most 5 million values, as JSON. */
const MAX_ANSWER_BYTES = 2 ** 30;

/**
 * The type of every value of the graph, with shapes as far as ONNX Runtime can tell.
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
  const outputs = askOnnxRuntime(model, skeleton, sizes);
  const types = graph.values.map((_, index) => givenType(graph, index) ?? UNKNOWN_TYPE);
  skeleton.shown.forEach((value, place) => {
    const { elementType, shape } = outputs[place];
    if (elementType === undefined) return;
    // ONNX Runtime reports a scalar as it reports an unknown rank: as an empty shape.
    types[value] = { dtype: dataTypeName(elementType), shape: shape.length === 0 ? null : shape };
  });
  return types;
}

function askOnnxRuntime(model: Model, skeleton: Skeleton, sizes: DimensionSizes): readonly SessionOutput[] {
  if (skeleton.shown.length === 0) return [];
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-'));
  try {
    const skeletonPath = path.join(folder, 'skeleton.onnx');
    const digest = writeChunks(model.files, skeleton.chunks, skeletonPath);
    const cache = cacheFolder('types');
    const key = createHash('sha256')
      .update(`${onnxRuntimeVersion()}\n${skeleton.zerosBytes}\n${digest}`)
      .digest('hex');
    const cached = readCached(cache, key) as readonly SessionOutput[] | undefined;
    if (cached?.length === skeleton.shown.length) return cached;
    const zeros = path.join(folder, ZEROS_FILE);
    fs.writeFileSync(zeros, '');
    fs.truncateSync(zeros, skeleton.zerosBytes);
    const outputs = runChild(model, skeletonPath, sizes);
    writeCached(cache, key, outputs);
    return outputs;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function runChild(model: Model, skeletonPath: string, sizes: DimensionSizes): readonly SessionOutput[] {
  const child = spawnSync(process.execPath, [builtFile('lib/shapes/infer-child.js'), skeletonPath], {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_ANSWER_BYTES,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const subject = `model ${quoted(model.files[0].path)} must load in ONNX Runtime ${onnxRuntimeVersion()}`;
  if (child.status !== 0) {
    const reason = endOf(child);
    throw new SlicedInferenceError(subject, reason, 'check that it runs there by itself');
  }
  const answer = JSON.parse(child.stdout) as InferAnswer;
  if ('outputs' in answer) return answer.outputs;
  const dimensions = Object.entries(sizes).map(([name, size]) => `${name}=${size}`);
  throw new SlicedInferenceError(
    subject,
    // The path that ONNX Runtime names is the skeleton's, which is gone by now.
    oneLine(answer.error.replaceAll(/Load model from \S+ failed:/g, '')),
    dimensions.length > 0
      ? `check that it runs there by itself with the dimensions ${dimensions.join(', ')}`
      : 'check that it runs there by itself',
  );
}

function endOf({ error, signal, stderr }: SpawnSyncReturns<string>): string {
  if (error !== undefined && 'code' in error && error.code === 'ETIMEDOUT')
    return `no answer within ${TIMEOUT_MS / 1000} s`;
  return signal ? `a process ended by ${signal}` : lastLine(stderr);
}

function lastLine(text: string): string {
  return oneLine(text.trim().split('\n').at(-1) ?? '');
}

function oneLine(text: string): string {
  // It may quote names and even whole messages of the model.
  return printable(text.replaceAll(/\s+/g, ' ').trim(), 400);
}
