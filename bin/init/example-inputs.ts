/** The inputs of a first call. A model that reshapes to an input, for example, refuses most values, so it runs with them once. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { TensorDataType } from '../../contract/tensors';
import { decodeInlineTensor } from '../../lambda/request/inline-tensor';
import { encodeSafetensors } from '../../lambda/tensors/safetensors';
import { type RawTensor, elementCount } from '../../lambda/tensors/tensor';
import type { Model } from '../../lib/onnx/model';
import { ask } from '../onnx-jobs/ask';
import type { JobAnswer, WholeJob } from '../verify/run-job';

export interface ExampleInput {
  readonly name: string;
  readonly dtype: TensorDataType;
  readonly shape: readonly number[];
  /** `wave`: small numbers around 0. */
  readonly values: 'zeros' | 'ones' | 'wave' | 'text';
}

/** What else inputs of these types may have. An integer may be a size or an axis, and a float may be a scale. */
const OTHER_VALUES = [
  { types: /int/, values: 'zeros' },
  { types: /int|float|bool/, values: 'ones' },
] as const;

/** Larger models are not run, because that takes long. */
const MAX_MODEL_BYTES = 2 ** 30;

/** For all runs together. A model that needs more time counts as one that was not run. */
const DEADLINE_MS = 60_000;

/** @returns values on which the model runs; if there are none, the given ones, and why the model refuses them */
export async function runnableInputs(
  modelPath: string,
  { graph, files }: Pick<Model, 'graph' | 'files'>,
  inputs: readonly ExampleInput[],
): Promise<{ readonly inputs: readonly ExampleInput[]; readonly valuesRefusal?: string }> {
  if (files.reduce((sum, { size }) => sum + size, 0) > MAX_MODEL_BYTES) return { inputs };
  const others = OTHER_VALUES.map(({ types, values }) =>
    inputs.map((input) => (types.test(input.dtype) ? { ...input, values } : input)),
  );
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-init-'));
  const [request, outputs] = ['inputs', 'outputs'].map((name) => path.join(folder, `${name}.safetensors`));
  const outputNames = graph.outputs.map(({ value }) => graph.values[value].name);
  const settings = { threads: 2, optimization: 'none' } as const;
  const job: WholeJob = { kind: 'whole', modelPath, inputs: request, outputs, outputNames, ...settings };
  const end = Date.now() + DEADLINE_MS;
  let valuesRefusal: string | undefined;
  try {
    for (const tried of [inputs, ...others]) {
      fs.writeFileSync(request, encodeSafetensors(new Map(tried.map((own) => [own.name, tensorOf(own)]))));
      const { failure } = await ask<JobAnswer>('verify-job', job, folder, Math.max(1, end - Date.now()));
      if (failure === undefined) return { inputs: tried };
      if (Date.now() >= end) break;
      valuesRefusal ??= failure;
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return { inputs, ...(valuesRefusal !== undefined && { valuesRefusal }) };
}

function tensorOf({ name, dtype, shape, values }: ExampleInput): RawTensor {
  const isBool = dtype === 'bool';
  const data = Array.from({ length: elementCount(shape) }, (_, index) => {
    const elements = {
      zeros: isBool ? false : 0,
      ones: isBool ? true : 1,
      wave: Math.sin(index),
      text: 'text',
    };
    return elements[values];
  });
  return decodeInlineTensor(name, { dtype, shape, data });
}
