/** Proves that chained slices give what the whole model gives, bit for bit. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { TensorSpec } from '../../lambda/contract';
import { checkRequest } from '../../lambda/request/request-check';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { compile } from '../../lib/compile';
import { writeSlices } from '../../lib/emit/write';
import type { SlicePlan } from '../../lib/plan/plan';
import type { Slicer } from '../../lib/plan/slicers';
import type { DimensionSizes } from '../../lib/shapes/value-types';
import { readTensorFile } from '../tensor-files';
import type { TensorComparison } from './compare';
import { compareTensor } from './compare';
import { type JobWording, runJob } from './run-job';

export interface VerifyOptions {
  readonly slicer: Slicer;
  readonly dimensions: DimensionSizes;
  /** File of inputs; without one, inputs are made up. */
  readonly inputs?: string;
  readonly seed: number;
  readonly onStep: (step: string) => void;
}

export interface Verification {
  /** Whether every output has the same type, shape and bits. */
  readonly identical: boolean;
  /** Largest absolute difference over all outputs; `null` where one has none. */
  readonly maxAbsDiff: number | null;
  readonly slices: number;
  readonly threads: number;
  /** Types and shapes of the inputs used. */
  readonly inputs: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
  }[];
  readonly outputs: readonly TensorComparison[];
}

/**
 * @throws SlicedInferenceError when the model or the slicing are unfit, or the model does not run
 * @throws NamedFailure when the inputs are not those of the model
 */
export async function verify(modelPath: string, options: VerifyOptions): Promise<Verification> {
  options.onStep(`reading ${modelPath}`);
  const compiled = compile(modelPath, options.slicer, options.dimensions);
  const { plan } = compiled;
  const given = options.inputs === undefined ? undefined : await readInputs(options.inputs, plan);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-verify-'));
  try {
    const slicesFolder = path.join(folder, 'slices');
    writeSlices(compiled, slicesFolder, {
      onFile: ({ file }) => {
        options.onStep(`writing ${file}`);
      },
    });
    const inputs = path.join(folder, 'inputs.safetensors');
    if (given) fs.writeFileSync(inputs, encodeSafetensors(given));
    const whole = path.join(folder, 'whole.safetensors');
    const chained = path.join(folder, 'chained.safetensors');
    const { threads } = plan;
    options.onStep('running the whole model');
    await runJob(
      {
        kind: 'whole',
        threads,
        modelPath,
        inputs,
        ...(given === undefined && {
          madeUp: { specs: plan.inputs, dimensions: options.dimensions, seed: options.seed },
        }),
        outputNames: plan.outputs.map(({ name }) => name),
        outputs: whole,
      },
      given === undefined ? MADE_UP : GIVEN,
      folder,
    );
    options.onStep(`running ${plan.slices.length} slices`);
    await runJob({ kind: 'chain', threads, slicesFolder, inputs, outputs: chained }, CHAINED, folder);
    return compare(plan, read(inputs), read(whole), read(chained));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const GIVEN: JobWording = {
  what: 'the whole model must run in ONNX Runtime on the inputs given',
  advice: 'check their values and that the model runs by itself',
};

const MADE_UP: JobWording = {
  what: 'the whole model must run in ONNX Runtime on made-up inputs',
  advice: 'give real inputs with --inputs, or the sizes of symbolic dimensions with --dimension',
};

const CHAINED: JobWording = {
  what: 'the slices must run in ONNX Runtime as the whole model does',
  advice: 'this is a fault of this tool, report it with the model',
};

/** @throws NamedFailure `InvalidInput` when the file's tensors are not those that the model asks for */
async function readInputs(file: string, plan: SlicePlan): Promise<ReadonlyMap<string, RawTensor>> {
  const tensors = await readTensorFile(
    file,
    plan.inputs.map(({ name }) => name),
  );
  checkRequest({ request: plan.inputs, fixed: plan.fixedInputs }, tensors);
  return tensors;
}

function read(file: string): ReadonlyMap<string, RawTensor> {
  return decodeSafetensors(fs.readFileSync(file));
}

function compare(
  plan: SlicePlan,
  inputs: ReadonlyMap<string, RawTensor>,
  expected: ReadonlyMap<string, RawTensor>,
  got: ReadonlyMap<string, RawTensor>,
): Verification {
  const outputs = inOrder(plan.outputs, expected).map(([name, tensor]) =>
    compareTensor(name, tensor, got.get(name)),
  );
  const differences = outputs.map(({ maxAbsDiff }) => maxAbsDiff);
  return {
    identical: outputs.every(({ identical }) => identical),
    maxAbsDiff: differences.includes(null) ? null : Math.max(0, ...differences.map(Number)),
    slices: plan.slices.length,
    threads: plan.threads,
    inputs: inOrder(plan.inputs, inputs).map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    outputs,
  };
}

/** Files have tensors in an order of their own. */
function inOrder(
  specs: readonly TensorSpec[],
  tensors: ReadonlyMap<string, RawTensor>,
): [string, RawTensor][] {
  return specs.flatMap(({ name }): [string, RawTensor][] => {
    const tensor = tensors.get(name);
    return tensor === undefined ? [] : [[name, tensor]];
  });
}
