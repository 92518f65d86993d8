/**
 * Sizes of values and iterations of loops that depend on data: those of one run of the whole model, in a child process and on one thread. The
 * times of the run are not used, so that a plan stays the same.
 */
import { hash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { TensorSpec } from '../../contract/tensors';
import type { DataSource } from './data-source';
import { digestOfGiven } from '../cache/fingerprint';
import { cacheFolder, readCached, writeCached } from '../cache/folder';
import { SlicedInferenceError, printable, quoted } from '../errors';
import { withTemporaryFolder } from '../host/folders';
import { onnxRuntimeVersion, packageVersion } from '../host/packages';
import { ChildError, askChild } from '../host/run-child';
import { isBindable } from '../onnx/data-type';
import { deadlineMs } from '../onnx/limits';
import { type Graph, type Model, type Node, OMITTED } from '../onnx/model';
import { weightsFolderOf, writeMapped } from '../optimize/optimize';
import { type DimensionSizes, type ValueType, type ValueTypes, isKnown } from './value-types';

/** A model that runs longer is stopped, because synthesis waits for it. */
const BASE_TIMEOUT_MS = 120_000;

/** Longest description of inputs, in characters. */
const MAX_DESCRIPTION = 400;

export interface DataSizes {
  readonly source: DataSource;
  /** The sizes that symbolic dimensions had; absent if there was no run. */
  readonly dimensions?: DimensionSizes;
  /** By the name of a node's first output, which is the same in a graph with splits. */
  readonly nodes: Readonly<Record<string, RunNode>>;
}

/** A node of the graph, in the run. */
export interface RunNode {
  /** In the order of its outputs, without omitted ones and what is not a tensor. */
  readonly tensors: readonly (ValueType | null)[];
  /** The nodes of its bodies that ran, with those of bodies inside of them. */
  readonly body: readonly BodyNode[];
}

/** A node of a body, in all of its runs. */
export interface BodyNode {
  readonly opType: string;
  /** How often it ran. */
  readonly count: number;
  /** Whether inputs after the first are weights. */
  readonly hasWeights: boolean;
  readonly inputs: readonly (ValueType | null)[];
  readonly outputs: readonly (ValueType | null)[];
}

/** The job of `bin/data-sizes/measure-sizes.ts`. */
export interface SizesJob {
  /** Path of a model whose weights are in files of `weightsFolder`. */
  readonly model: string;
  readonly weightsFolder: string;
  /** By node: its name in the answer. */
  readonly names: readonly string[];
  readonly specs: readonly TensorSpec[];
  /** Sizes of all symbolic dimensions of generated inputs. */
  readonly dimensions: DimensionSizes;
  /** File of inputs. @default - generated inputs */
  readonly inputs?: string;
}

export type SizesAnswer = Required<Omit<DataSizes, 'source'>> & Pick<DataSource, 'inputs'>;

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
 * Runs the model on generated inputs with these sizes of dimensions, or reads an earlier run from the cache; or on the inputs of a file.
 *
 * @throws SlicedInferenceError if the model does not run on the inputs of the file
 */
export function runForSizes(
  model: Model,
  types: ValueTypes,
  dimensions: DimensionSizes,
  file?: string,
): DataSizes {
  return withTemporaryFolder((folder) => {
    const [modelPath, weightsFolder] = [path.join(folder, 'model.onnx'), weightsFolderOf(model)];
    const digest = writeMapped(model, { modelPath, weightsFolder });
    const files = model.files.map(({ path: own, fingerprint }) => [fs.realpathSync(own), fingerprint]);
    const parts = [
      ...['sizes and bodies', packageVersion(), onnxRuntimeVersion(), digest, files, dimensions],
      file !== undefined && digestOfGiven(file),
    ];
    const key = hash('sha256', JSON.stringify(parts));
    const cache = cacheFolder('shapes');
    const cached = readCached(cache, key) as DataSizes | undefined;
    if (cached !== undefined) return cached;
    const names = model.graph.nodes.map((node) => runName(model.graph, node));
    const job: SizesJob = {
      ...{ model: modelPath, weightsFolder, names, specs: specsOf(model, types), dimensions },
      ...(file !== undefined && { inputs: file }),
    };
    const inputs = file === undefined ? 'generated inputs' : printable(path.basename(file));
    const source = { inputs, isGenerated: file === undefined };
    try {
      const { inputs: ranOn, ...run } = ask(model, job, folder);
      const description = printable(`${inputs} (${ranOn})`, MAX_DESCRIPTION);
      const found: DataSizes = { source: { ...source, inputs: description }, ...run };
      writeCached(cache, key, found);
      return found;
    } catch (error) {
      if (!(error instanceof ChildError) || file !== undefined) throw error;
      return { source: { ...source, failure: error.got }, nodes: {} };
    }
  });
}

function specsOf({ graph: { inputs, values } }: Model, types: ValueTypes): TensorSpec[] {
  return inputs.flatMap(({ value }) => {
    const { name, initializer } = values[value];
    const { dtype = '', shape } = types[value];
    return initializer === undefined && isBindable(dtype) ? [{ name, dtype, shape }] : [];
  });
}

function ask(model: Model, job: SizesJob, folder: string): SizesAnswer {
  const jobPath = path.join(folder, 'job.json');
  fs.writeFileSync(jobPath, JSON.stringify(job));
  const answer = askChild({
    script: 'bundle/sizes-job.js',
    args: [jobPath],
    timeoutMs: deadlineMs(BASE_TIMEOUT_MS, model),
    what: `model ${quoted(model.files[0].path)} must run on ${quoted(job.inputs ?? 'generated inputs')}`,
    advice: 'check these inputs, and that the model runs on its own',
  }) as SizesAnswer | { readonly refusal: string };
  if ('refusal' in answer) throw SlicedInferenceError.saying(answer.refusal);
  return answer;
}

/** The name of a node in `DataSizes`. */
export function runName({ values }: Graph, { outputs }: Node): string {
  const first = outputs.find((output) => output !== OMITTED);
  return first === undefined ? '' : values[first].name;
}
