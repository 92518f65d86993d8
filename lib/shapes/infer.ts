/** Infers types and shapes of a model's values with ONNX Runtime in a child process, and caches them by digest. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { readCached, writeCached } from '../cache/entries';
import { cacheFolder } from '../cache/folder';
import { quoted } from '../errors';
import { dataTypeName } from '../onnx/data-type';
import type { Model, NodeIndex } from '../onnx/model';
import { writeChunks } from '../onnx/write-chunks';
import { onnxRuntimeVersion } from '../host/onnxruntime';
import { askChild } from '../host/run-child';
import { withTemporaryFolder } from '../host/temporary-folder';
import type { InferAnswer, SessionOutput } from './infer-child';
import type { Skeleton } from './skeleton';
import { ZEROS_FILE, buildSkeleton } from './skeleton';
import type { DimensionSizes, ValueTypes } from './value-types';
import { UNKNOWN_TYPE, givenType } from './value-types';

/** ONNX Runtime loads the largest public graphs in seconds, so it hangs when a minute is not enough. */
const TIMEOUT_MS = 60_000;

/**
 * Returns the type of every value of the graph, with the shapes that ONNX Runtime can infer.
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
  skeleton.exposed.forEach((value, place) => {
    const { elementType, shape } = outputs[place];
    if (elementType === undefined) return;
    // ONNX Runtime reports both a scalar and an unknown rank as an empty shape.
    types[value] = { dtype: dataTypeName(elementType), shape: shape.length === 0 ? null : shape };
  });
  return types;
}

function askOnnxRuntime(model: Model, skeleton: Skeleton, sizes: DimensionSizes): readonly SessionOutput[] {
  if (skeleton.exposed.length === 0) return [];
  return withTemporaryFolder((folder) => {
    const skeletonPath = path.join(folder, 'skeleton.onnx');
    const digest = writeChunks(model.files, skeleton.chunks, skeletonPath);
    const cache = cacheFolder('types');
    const key = createHash('sha256')
      .update(`${onnxRuntimeVersion()}\n${skeleton.zerosBytes}\n${digest}`)
      .digest('hex');
    const cached = readCached(cache, key) as readonly SessionOutput[] | undefined;
    if (cached?.length === skeleton.exposed.length) return cached;
    const zeros = path.join(folder, ZEROS_FILE);
    fs.writeFileSync(zeros, '');
    fs.truncateSync(zeros, skeleton.zerosBytes);
    const outputs = runChild(model, skeletonPath, sizes);
    writeCached(cache, key, outputs);
    return outputs;
  });
}

function runChild(model: Model, skeletonPath: string, sizes: DimensionSizes): readonly SessionOutput[] {
  const dimensions = Object.entries(sizes).map(([name, size]) => `${name}=${size}`);
  const { outputs } = askChild({
    script: 'lib/shapes/infer-child.js',
    args: [skeletonPath],
    timeoutMs: TIMEOUT_MS,
    what: `model ${quoted(model.files[0].path)} must load in ONNX Runtime ${onnxRuntimeVersion()}`,
    advice:
      dimensions.length > 0
        ? `check that it runs there without slicing, with the dimensions ${dimensions.join(', ')}`
        : 'check that it runs there without slicing',
  }) as InferAnswer;
  return outputs;
}
