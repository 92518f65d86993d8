/** What an app says of its model: the path, the sizes of dimensions, and inputs for a first call. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { TensorDataType } from '../../contract/tensors';
import { type AnalyzedModel, analyzeModel } from '../../lib/compile/analyze';
import { cutModel } from '../../lib/compile/fit-by-splits';
import { planEstimates } from '../../lib/compile/plan-estimates';
import { automatic, count } from '../../lib/plan/slicers';
import { isBindable } from '../../lib/onnx/data-type';
import { wholeModel } from '../../lib/plan/pricing/price';
import { ephemeralStorageMb, fileBytes } from '../../lib/plan/sizes/estimate';
import { optimizedMemoryMb } from '../../lib/plan/sizes/folded-constants';
import { MAX_EPHEMERAL_STORAGE_MB, MAX_LAMBDA_MEMORY_MB } from '../../lib/plan/sizes/lambda-quotas';
import { SlicedInferenceError } from '../../lib/errors';
import { SLICE_WITH_INPUTS, dataSizesNote } from '../../lib/plan/notes';
import type { DimensionSizes } from '../../lib/shapes/value-types';
import { type ExampleInput, runnableInputs } from './example-inputs';

export interface AppModel {
  readonly names: AppNames;
  /** As the app writes it. */
  readonly path: string;
  /** From where the path counts, for a comment beside it. */
  readonly pathComment: string;
  /** Whether the file is outside of the app's folder. */
  readonly isOutside: boolean;
  readonly hub?: HubFile;
  readonly dimensions: DimensionSizes;
  /** Which construct runs the model. */
  readonly construct: AppConstruct;
  /** Whether one function is cheaper, and which is faster, in a sentence. */
  readonly verdict: string;
  readonly inputs: readonly ExampleInput[];
  /** Why the plan of the model is a guess. */
  readonly guess?: string;
  /** Why ONNX Runtime does not load the model with these dimensions. */
  readonly refusal?: string;
  /** Why the model refuses the inputs. */
  readonly valuesRefusal?: string;
}

export type AppConstruct = 'InferenceFunction' | 'SlicedInferencePipeline';

export interface AppChoices {
  /** @default - the one that the verdict recommends */
  readonly construct?: AppConstruct | undefined;
  /** Sizes of the requests. */
  readonly dimensions: DimensionSizes;
  readonly requestsPerHour?: number | undefined;
}

/** @throws SlicedInferenceError for a model that cannot be sliced, or whose inputs a request cannot have */
export async function readAppModel(model: string, folder: string, choices: AppChoices): Promise<AppModel> {
  const { dimensions: given, requestsPerHour } = choices;
  const read = analyzeModel(model, {
    dimensions: given,
    ...(requestsPerHour !== undefined && { costs: { requestsPerHour } }),
  });
  const mustBeWhole = choices.construct === 'InferenceFunction';
  if (mustBeWhole) checkFits(read);
  // The search has less memory than one function may have.
  const slicer = mustBeWhole ? count(1) : automatic();
  const { analyzed, cut } = cutModel(read, slicer);
  const { oneFunction } = planEstimates(analyzed, cut, slicer);
  const hub = hubFileOf(model);
  const { dimensions, refusal, data } = analyzed.planned;
  const inputs = exampleInputs(analyzed);
  return {
    names: appNames(model, hub),
    ...pathFrom(folder, model, hub),
    ...(hub && { hub }),
    dimensions,
    construct: choices.construct ?? (oneFunction.isCheaper ? 'InferenceFunction' : 'SlicedInferencePipeline'),
    verdict: oneFunction.verdict,
    ...(data?.source.failure !== undefined && { guess: dataSizesNote(data.source, SLICE_WITH_INPUTS) }),
    ...(refusal === undefined ? await runnableInputs(model, analyzed, inputs) : { inputs, refusal }),
  };
}

/** As the construct does when the app is synthesized. */
function checkFits({ dataflow, cuts, planned }: AnalyzedModel): void {
  const { size } = wholeModel(dataflow, cuts);
  const needs = [
    ['memory', optimizedMemoryMb(dataflow, planned.bytes, size), MAX_LAMBDA_MEMORY_MB],
    ['/tmp', ephemeralStorageMb(fileBytes(size)), MAX_EPHEMERAL_STORAGE_MB],
  ] as const;
  for (const [what, megabytes, most] of needs)
    if (megabytes > most)
      throw new SlicedInferenceError(
        `with --function, the whole model must fit a Lambda function of ${most} MB of ${what}`,
        `an estimate of ${megabytes} MB`,
        'lower the sizes of --dimension, or leave --function out, for slices',
      );
}

/** Apps are moved and shared, so paths are relative, except into a cache that every machine has elsewhere. */
function pathFrom(
  folder: string,
  model: string,
  hub?: HubFile,
): Pick<AppModel, 'path' | 'pathComment' | 'isOutside'> {
  const file = path.join(fs.realpathSync(path.dirname(model)), path.basename(model));
  const relative = path.relative(folder, file);
  const isOutside = relative.startsWith('..') || path.isAbsolute(relative);
  const pathComment = hub ? "in this machine's cache: see README.md" : 'relative to the folder of cdk.json';
  return { path: (hub ? file : relative).replaceAll(path.sep, '/'), pathComment, isOutside };
}

function exampleInputs({ model: { graph }, planned: { types } }: AnalyzedModel): ExampleInput[] {
  return graph.inputs.flatMap(({ value }) => {
    const { name, initializer } = graph.values[value];
    const { dtype = '', shape } = types[value];
    if (initializer !== undefined || !isBindable(dtype)) return [];
    return [{ name, dtype, shape: (shape ?? []).map(Number), values: exampleValues(name, dtype) }];
  });
}

/**
 * Example values that hide nothing: 0 for a padding mask, 1 for other masks. Other integers are mostly ids. Every table of tokens has a
 * row 1, but a table of token types may have row 0 alone.
 */
function exampleValues(name: string, dtype: TensorDataType): ExampleInput['values'] {
  if (dtype === 'string') return 'text';
  if (/type|segment|padding/i.test(name)) return 'zeros';
  if (/mask/i.test(name)) return 'ones';
  if (dtype === 'bool') return 'zeros';
  return dtype === 'float32' || dtype === 'float64' ? 'wave' : 'ones';
}

interface AppNames {
  /** Such as `my-model`, the first part of file names. */
  readonly file: string;
  /** Such as `my_model`, the first part of the names of Python modules. */
  readonly module: string;
  /** Such as `MyModel`: the stack. Its class is `MyModelStack`, so no name is a keyword. */
  readonly stack: string;
}

/** A model in the cache of the Hugging Face hub. */
interface HubFile {
  readonly repository: string;
  readonly revision: string;
  /** In the repository. */
  readonly file: string;
}

const MOST_CHARACTERS = 40;

/** https://huggingface.co/docs/huggingface_hub/guides/manage-cache */
const HUB_FILE = /\/models--([\w.-]+)\/snapshots\/([\w.-]+)\/(.+)$/;

function hubFileOf(model: string): HubFile | undefined {
  const found = HUB_FILE.exec(path.resolve(model).replaceAll('\\', '/'));
  return found === null
    ? undefined
    : { repository: found[1].replaceAll('--', '/'), revision: found[2], file: found[3] };
}

/** In the hub, files are mostly called `model.onnx`, so the repository's name says more. */
export function appNames(model: string, hub?: HubFile): AppNames {
  const name = hub?.repository ?? model;
  const base = path.basename(name).replace(/\.onnx$/i, '');
  const plain = base.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  const joined = (plain.match(/[a-z0-9]+/g) ?? []).join('-').slice(0, MOST_CHARACTERS);
  const words = joined.split('-').filter((word) => word !== '');
  // A name cannot start with a digit, and a Python module called `test_stack` would be that of the test.
  if (words.length === 0 || /^(\d|test$)/.test(words[0])) words.unshift('model');
  return {
    file: words.join('-'),
    module: words.join('_'),
    stack: words.map((word) => word[0].toUpperCase() + word.slice(1)).join(''),
  };
}
