/** The inputs of a first call. A model that reshapes to an input, for example, refuses most values, so it runs with them once. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { TensorDataType } from '../../contract/tensors';
import { decodeInlineTensor } from '../../lambda/request/inline-tensor';
import { encodeSafetensors } from '../../lambda/tensors/safetensors';
import { type RawTensor, elementCount } from '../../lambda/tensors/tensor';
import type { AnalyzedModel } from '../../lib/compile/analyze';
import { ask } from '../onnx-jobs/ask';
import { showProgress } from '../terminal/progress';
import type { JobAnswer, WholeJob } from '../verify/run-job';

export interface ExampleInput {
  readonly name: string;
  readonly dtype: TensorDataType;
  readonly shape: readonly number[];
  /** `wave`: small numbers around 0. */
  readonly values: 'zeros' | 'ones' | 'wave' | 'text';
}

/** A model that has more bytes, with its inputs and its largest value, is not run, because that takes long. */
const MAX_BYTES = 2 ** 30;

/** In a list of numbers or strings. */
const ELEMENT_BYTES = 64;

/** For all runs together. A model that needs more time counts as one that was not run. */
const DEADLINE_MS = 60_000;

/** @returns values on which the model runs; if there are none, the given ones, and why the model refuses them */
export async function runnableInputs(
  modelPath: string,
  { model: { graph, files }, planned }: Pick<AnalyzedModel, 'model' | 'planned'>,
  inputs: readonly ExampleInput[],
): Promise<{ readonly inputs: readonly ExampleInput[]; readonly valuesRefusal?: string }> {
  const bytes = inputs.map(({ shape }) => elementCount(shape) * ELEMENT_BYTES);
  for (const { size } of files) bytes.push(size);
  const largest = planned.bytes.reduce((most, own) => Math.max(most, own), 0);
  if (bytes.reduce((sum, own) => sum + own, largest) > MAX_BYTES) return { inputs };
  showProgress('running the model once with example values');
  // An integer may be a size or an axis, and a float a scale.
  const zeros = inputs.map((own) => (own.dtype.includes('int') ? { ...own, values: 'zeros' as const } : own));
  const ones = inputs.map((own) => (own.dtype === 'string' ? own : { ...own, values: 'ones' as const }));
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-init-'));
  const [request, outputs] = ['inputs', 'outputs'].map((name) => path.join(folder, `${name}.safetensors`));
  const outputNames = graph.outputs.map(({ value }) => graph.values[value].name);
  const run = { modelPath, outputNames, threads: 2, optimization: 'none', prepacking: true } as const;
  const job: WholeJob = { kind: 'whole', ...run, inputs: request, outputs };
  const end = Date.now() + DEADLINE_MS;
  let valuesRefusal: string | undefined;
  try {
    for (const tried of [inputs, zeros, ones]) {
      fs.writeFileSync(request, encodeSafetensors(new Map(tried.map((own) => [own.name, tensorOf(own)]))));
      const answer = await ask<JobAnswer>(job, folder, Math.max(1, end - Date.now()));
      if (answer.failure === undefined) return { inputs: tried };
      // Another failure than the model's own says nothing of the values.
      if (!('ranOn' in answer)) break;
      valuesRefusal ??= answer.failure;
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return { inputs, ...(valuesRefusal !== undefined && { valuesRefusal }) };
}

function tensorOf({ name, dtype, shape, values }: ExampleInput): RawTensor {
  const element = { zeros: 0, ones: 1, wave: undefined, text: 'text' }[values];
  const data = Array.from({ length: elementCount(shape) }, (_, index) =>
    dtype === 'bool' ? element === 1 : (element ?? Math.sin(index)),
  );
  return decodeInlineTensor(name, { dtype, shape, data });
}
