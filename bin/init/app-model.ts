/** What an app says of its model: the path, the sizes of dimensions, and inputs for a first call. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { TensorDataType } from '../../contract/tensors';
import { type AnalyzedModel, analyzeModel } from '../../lib/compile/analyze';
import { isBindable } from '../../lib/onnx/data-type';
import { dataSizesNote } from '../../lib/plan/data-sizes';
import type { DimensionSizes } from '../../lib/shapes/value-types';
import { type ExampleInput, runnableInputs } from './example-inputs';
import { type AppNames, type HubFile, appNames, hubFileOf } from './names';

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
  readonly inputs: readonly ExampleInput[];
  /** Why the plan of the model is a guess. */
  readonly guess?: string;
  /** Why ONNX Runtime does not load the model with these dimensions. */
  readonly refusal?: string;
  /** Why the model refuses the inputs. */
  readonly valuesRefusal?: string;
}

/** @throws SlicedInferenceError for a model that cannot be sliced, or whose inputs a request cannot have */
export async function readAppModel(model: string, folder: string): Promise<AppModel> {
  const analyzed = analyzeModel(model);
  const hub = hubFileOf(model);
  const { dimensions, refusal, data } = analyzed.planned;
  const inputs = exampleInputs(analyzed);
  return {
    names: appNames(model, hub),
    ...pathFrom(folder, model, hub),
    ...(hub && { hub }),
    dimensions,
    ...(data?.source.failure !== undefined && { guess: dataSizesNote(data.source) }),
    ...(refusal === undefined ? await runnableInputs(model, analyzed, inputs) : { inputs, refusal }),
  };
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
