/**
 * Sizes of values and iterations of loops that depend on data: those of one run of the whole model, in a child process and on one thread. The
 * run's times are not used, so that plans are the same on every machine.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { TensorSpec } from '../../contract/tensors';
import { cacheFolder, readCached, writeCached } from '../cache/folder';
import { fileDigest } from '../cache/fingerprint';
import { printable, quoted } from '../errors';
import { withTemporaryFolder } from '../host/folders';
import { onnxRuntimeVersion, packageVersion } from '../host/packages';
import { ChildError, askChild } from '../host/run-child';
import { isBindable } from '../onnx/data-type';
import { deadlineMs } from '../onnx/limits';
import { type Graph, type Model, type Node, type ValueIndex, OMITTED } from '../onnx/model';
import { weightsFolderOf, writeMapped } from '../optimize/optimize';
import { type DimensionSizes, type ValueTypes, givenSize, isKnown } from './value-types';

/** A model that runs longer is stopped, because synthesis waits for it. */
const BASE_TIMEOUT_MS = 120_000;

/** Longest description of inputs, in characters. */
const MAX_DESCRIPTION = 400;

/** The user's inputs, on which the model runs instead of generated ones. */
export interface PlanningInputs {
  /** Path of a file of tensors. */
  readonly path: string;
  /** The sizes of symbolic dimensions in these inputs. */
  readonly dimensions: DimensionSizes;
}

/** What is known of a run. */
export interface DataSizes {
  /** The inputs, in words. */
  readonly inputs: string;
  readonly isGenerated: boolean;
  /** Why there was no run, so that `nodes` is empty. */
  readonly failure?: string;
  /** By the name of a node's first output, which is the same in a graph with splits. */
  readonly nodes: Readonly<Record<string, RunNode>>;
}

export interface RunNode {
  /** The tensors that it computed, in the order of its outputs without omitted ones; `null` for what is not a tensor. */
  readonly tensors: readonly (RunTensor | null)[];
  /** How often the nodes of its bodies ran, on average; 0 if none did. */
  readonly iterations: number;
}

export interface RunTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** The job of `bin/profile/profile-child.ts`. */
export interface SizesJob {
  readonly kind: 'sizes';
  /** Path of a model with its weights in files of `weightsFolder`. */
  readonly model: string;
  readonly weightsFolder: string;
  /** The names of the values by which nodes are known in the answer. */
  readonly named: readonly string[];
  readonly outputNames: readonly string[];
  readonly specs: readonly TensorSpec[];
  /** Sizes of all symbolic dimensions of generated inputs. */
  readonly dimensions: DimensionSizes;
  /** File of inputs. @default - generated inputs */
  readonly inputs?: string;
  /** Folder for the file of ONNX Runtime's profiler. */
  readonly folder: string;
}

export type SizesAnswer = Pick<DataSizes, 'inputs' | 'nodes'>;

const LOOPS = new Set(['Loop', 'Scan', 'SequenceMap']);

/** Whether the size of a value that is computed, or the number of iterations of a loop, depends on data. */
export function dependsOnData(model: Model, isLive: readonly boolean[], types: ValueTypes): boolean {
  return model.graph.nodes.some(
    ({ index, outputs, operators }) =>
      isLive[index] &&
      (operators.some(({ opType }) => LOOPS.has(opType)) ||
        outputs.some((output) => output !== OMITTED && !isKnown(types[output]))),
  );
}

/**
 * Runs the model, or reads an earlier run from the cache.
 *
 * @param dimensions sizes of all symbolic dimensions
 */
export function runForSizes(
  model: Model,
  types: ValueTypes,
  dimensions: DimensionSizes,
  given?: PlanningInputs,
): DataSizes {
  const inputs = given === undefined ? 'generated inputs' : printable(path.basename(given.path));
  const run = { inputs, isGenerated: given === undefined, nodes: {} };
  const other = Object.entries(given?.dimensions ?? {}).find(
    ([name, size]) => givenSize(dimensions, name) !== size,
  );
  if (other)
    return { ...run, failure: `dimension ${printable(other[0])} has another size there, ${other[1]}` };
  if (model.files.reduce((sum, { size }) => sum + size, 0) > os.totalmem())
    return { ...run, failure: 'it is larger than the memory of this machine' };
  return withTemporaryFolder((folder) => {
    const job = sizesJob(model, types, dimensions, folder, given?.path);
    const key = keyOf(model, writeMapped(model, { ...job, modelPath: job.model }), job);
    const cache = cacheFolder('shapes');
    const known = readCached(cache, key) as DataSizes | undefined;
    if (known !== undefined) return known;
    try {
      const { failure, inputs: shapes, nodes = {} } = ask(model, job);
      const ranOn = shapes === undefined ? inputs : printable(`${inputs} (${shapes})`, MAX_DESCRIPTION);
      const found: DataSizes = { ...run, inputs: ranOn, ...(failure !== undefined && { failure }), nodes };
      writeCached(cache, key, found);
      return found;
    } catch (error) {
      if (!(error instanceof ChildError)) throw error;
      // A process that ended or took too long may answer on another day.
      return { ...run, failure: error.got };
    }
  });
}

function sizesJob(
  model: Model,
  types: ValueTypes,
  dimensions: DimensionSizes,
  folder: string,
  inputs?: string,
): SizesJob {
  const { graph } = model;
  const nameOf = (value: ValueIndex): string => graph.values[value].name;
  return {
    kind: 'sizes',
    model: path.join(folder, 'model.onnx'),
    weightsFolder: weightsFolderOf(model),
    named: graph.nodes.map((node) => runName(graph, node)),
    outputNames: graph.outputs.map(({ value }) => nameOf(value)),
    specs: graph.inputs.flatMap(({ value }) => {
      const { dtype, shape } = types[value];
      const isRequested = graph.values[value].initializer === undefined;
      return isRequested && dtype !== undefined && isBindable(dtype)
        ? [{ name: nameOf(value), dtype, shape }]
        : [];
    }),
    dimensions,
    ...(inputs !== undefined && { inputs: path.resolve(inputs) }),
    folder,
  };
}

function ask(model: Model, job: SizesJob): Partial<SizesAnswer> & { readonly failure?: string } {
  const jobPath = path.join(job.folder, 'job.json');
  fs.writeFileSync(jobPath, JSON.stringify(job));
  return askChild({
    script: 'bundle/profile-job.js',
    args: [jobPath],
    timeoutMs: deadlineMs(BASE_TIMEOUT_MS, model),
    what: `model ${quoted(model.files[0].path)} must run in ONNX Runtime ${onnxRuntimeVersion()}`,
    advice: 'profile it with your own inputs',
  });
}

function keyOf(model: Model, graph: string, { inputs, dimensions }: SizesJob): string {
  const files = model.files.map(({ path: file, fingerprint }) => [fs.realpathSync(file), fingerprint]);
  const own = inputs === undefined ? dimensions : fileDigest(inputs);
  return createHash('sha256')
    .update(JSON.stringify([packageVersion(), onnxRuntimeVersion(), graph, files, own]))
    .digest('hex');
}

/** The name of a node in `DataSizes`. */
export function runName({ values }: Graph, { outputs }: Node): string {
  const first = outputs.find((output) => output !== OMITTED);
  return first === undefined ? '' : values[first].name;
}
