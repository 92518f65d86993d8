/** Lets ONNX Runtime optimize and save a graph, and reads that graph back, with the casts that ONNX Runtime inserted. */
import { hash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { isSinceBoot, cacheError, cacheOrTemporaryFolder } from '../cache/folder';
import { SlicedInferenceError, printable, quoted, systemReason } from '../errors';
import { encodeModel } from '../onnx/encode-model';
import type { Graph, Model, Value } from '../onnx/model';
import { parseModel } from '../onnx/parse';
import { writeChunks } from '../onnx/write-chunks';
import { deadlineMs } from '../onnx/limits';
import { onnxRuntimeVersion, packageVersion } from '../host/packages';
import { askChild } from '../host/run-child';
import { withPartial } from '../host/folders';
import type { OptimizationLevel } from './level';
import type { OptimizeAnswer, OptimizeJob } from './optimize-child';

/** ONNX Runtime reads and folds weights, which takes a minute for gigabytes of them. */
const BASE_TIMEOUT_MS = 15 * 60_000;

const SAVED_GRAPH = 'saved.onnx';
const SAVED_WEIGHTS = 'saved.weights';
const ANSWER = 'answer.json';

/** A graph that ONNX Runtime saved does not load again. The message quotes ONNX Runtime. */
export class UnloadableGraphError extends SlicedInferenceError {}

/**
 * Lets ONNX Runtime optimize the whole model at `level`, in a child process with the real weights mapped, and reads the
 * graph that it saves. The slices of that graph, run without optimization, compute the same bits as the whole model at
 * `level`. Results are cached.
 *
 * @throws UnloadableGraphError when the saved graph does not load again
 */
export function optimize(model: Model, level: OptimizationLevel): Model {
  const cache = cacheOrTemporaryFolder('optimized');
  const folder = path.join(cache, keyOf(model, level));
  const saved = readSaved(model, folder) ?? saveInto(model, level, folder, cache);
  if (typeof saved === 'string') {
    throw new UnloadableGraphError(
      `model ${quoted(model.files[0].path)} must load again after ONNX Runtime has saved it`,
      printable(saved.replaceAll(/\s+/g, ' '), 400),
      'slice it without graph optimization',
    );
  }
  return { ...saved, graph: withoutLostDefaults(saved.graph, model.graph), isSettled: true };
}

interface CachedAnswer extends OptimizeAnswer {
  /** In milliseconds since 1970. */
  readonly writtenAt: number;
}

function readSaved(model: Model, folder: string): Model | string | undefined {
  if (!fs.existsSync(folder)) return undefined;
  try {
    const answer = JSON.parse(fs.readFileSync(path.join(folder, ANSWER), 'utf8')) as CachedAnswer;
    if (isSinceBoot(answer.writtenAt)) return savedModel(model, folder, answer);
  } catch {
    // A crash or another program has damaged the folder: the caller saves the graph again.
  }
  fs.rmSync(folder, { recursive: true, force: true });
  return undefined;
}

function saveInto(model: Model, level: OptimizationLevel, folder: string, cache: string): Model | string {
  try {
    const partial = fs.mkdtempSync(`${folder}.partial-`);
    return withPartial(partial, () => {
      const answer = save(model, level, partial);
      try {
        fs.renameSync(partial, folder);
      } catch (error) {
        // The result of another process that was faster stays.
        if (!fs.existsSync(folder)) throw error;
      }
      return savedModel(model, folder, answer);
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw cacheError(cache, systemReason(error));
  }
}

function savedModel(
  model: Model,
  folder: string,
  { unloadable, ownWeights }: OptimizeAnswer,
): Model | string {
  if (unloadable !== undefined) return unloadable;
  const externalFolder = ownWeights ? folder : weightsFolderOf(model);
  return parseModel(path.join(folder, SAVED_GRAPH), externalFolder);
}

/**
 * Removes inputs that have lost their default. Below IR version 4 every initializer is an input too. If the optimizer
 * merges or folds the initializer, ONNX Runtime still saves the input, which no node uses and no caller knows.
 */
function withoutLostDefaults(saved: Graph, original: Graph): Graph {
  const fixed = new Set(
    original.inputs
      .map(({ value }) => original.values[value])
      .filter(({ initializer }) => initializer !== undefined)
      .map(({ name }) => name),
  );
  const isLost = (value: Value): boolean => value.initializer === undefined && fixed.has(value.name);
  const inputs = saved.inputs.filter(({ value }) => !isLost(saved.values[value]));
  const place = new Map(inputs.map(({ value }, index) => [value, index]));
  const values = saved.values.map((value, index): Value => {
    const { name, producer, initializer } = value;
    const input = place.get(index);
    return {
      name,
      ...(producer !== undefined && { producer }),
      ...(input !== undefined && { input }),
      ...(initializer !== undefined && { initializer }),
    };
  });
  return { ...saved, inputs, values };
}

function save(model: Model, level: OptimizationLevel, folder: string): OptimizeAnswer {
  const job: OptimizeJob = {
    modelPath: path.join(folder, 'model.onnx'),
    weightsFolder: weightsFolderOf(model),
    level,
    savedPath: path.join(folder, SAVED_GRAPH),
    savedWeights: path.join(folder, SAVED_WEIGHTS),
  };
  writeMapped(model, job);
  const found = askChild({
    script: 'lib/optimize/optimize-child.js',
    args: [JSON.stringify(job)],
    timeoutMs: deadlineMs(BASE_TIMEOUT_MS, model),
    what: `model ${quoted(model.files[0].path)} must load in ONNX Runtime ${onnxRuntimeVersion()} with graph optimization '${level}'`,
    advice: 'check that it runs there without slicing',
  }) as OptimizeAnswer;
  fs.rmSync(job.modelPath);
  const answer: CachedAnswer = { ...found, writtenAt: Date.now() };
  fs.writeFileSync(path.join(folder, ANSWER), JSON.stringify(answer));
  return found;
}

/** The deepest folder with all files of the model behind their links. ONNX Runtime refuses weights outside of the folder that it is told. */
export function weightsFolderOf({ files }: Model): string {
  const folders = files.map(({ path: file }) => path.dirname(fs.realpathSync(file)));
  return folders.reduce((common, folder) => {
    let shared = common;
    while (path.relative(shared, folder).startsWith('..')) shared = path.dirname(shared);
    return shared;
  });
}

/** Writes the graph, with its weights in the files of the model. @returns the file's SHA-256 */
export function writeMapped(
  model: Model,
  { modelPath, weightsFolder }: Pick<OptimizeJob, 'modelPath' | 'weightsFolder'>,
): string {
  const { graph } = model;
  const chunks = encodeModel(model, {
    nodes: graph.nodes,
    initializers: graph.initializers.map(({ value }) => value),
    declarations: [...[...graph.inputs, ...graph.outputs].map(({ field }) => field), ...graph.valueInfos],
    functions: model.functions,
    metadata: [],
    placeWeight: ({ data }) => ({
      location: path.relative(weightsFolder, fs.realpathSync(model.files[data.file].path)),
      offset: data.offset,
    }),
  });
  return writeChunks(model.files, chunks, modelPath);
}

/** The key of a result in the cache. It includes the processor, because kernels and fusions depend on it. */
function keyOf(model: Model, level: OptimizationLevel): string {
  const processor = [process.arch, os.cpus().at(0)?.model ?? ''];
  const files = model.files.map(({ path: file, fingerprint }) => [fs.realpathSync(file), fingerprint]);
  const parts = [packageVersion(), onnxRuntimeVersion(), level, processor, files];
  return hash('sha256', JSON.stringify(parts));
}
