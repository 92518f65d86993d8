/** Proves that chained slices give what the whole model gives, bit for bit. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/safetensors';
import type { RawTensor } from '../../lambda/tensor';
import type { AnalysedModel } from '../../lib/analyse';
import { analyseModel } from '../../lib/analyse';
import { compileAnalysed } from '../../lib/compile';
import { writeSlices } from '../../lib/emit/write';
import { SlicedInferenceError } from '../../lib/errors';
import type { SlicePlan } from '../../lib/plan/plan';
import type { Slicer } from '../../lib/plan/slicers';
import type { DimensionSizes } from '../../lib/shapes/value-types';
import { readTensorFile } from '../tensor-files';
import type { TensorComparison } from './compare';
import { compareTensor } from './compare';
import { runJob } from './run-job';
import { candidateInputs } from './seeded-inputs';

export interface VerifyOptions {
  readonly slicer: Slicer;
  readonly dimensions: DimensionSizes;
  /** File of inputs; without one, seeded inputs are made. */
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

/** @throws SlicedInferenceError when the model, the slicing or the inputs are unfit, or the model does not run */
export async function verify(modelPath: string, options: VerifyOptions): Promise<Verification> {
  options.onStep(`reading ${modelPath}`);
  const analysed = analyseModel(modelPath, options.dimensions);
  const compiled = compileAnalysed(analysed, options.slicer);
  const { plan } = compiled;
  const candidates = await inputsFor(analysed, plan, options);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-verify-'));
  try {
    const slicesFolder = path.join(folder, 'slices');
    writeSlices(compiled, slicesFolder, ({ file }) => {
      options.onStep(`writing ${file}`);
    });
    const files = candidates.map((tensors, index) => {
      const file = path.join(folder, `inputs-${index}.safetensors`);
      fs.writeFileSync(file, encodeSafetensors(tensors));
      return file;
    });
    const whole = path.join(folder, 'whole.safetensors');
    const chained = path.join(folder, 'chained.safetensors');
    const { threads } = plan;
    options.onStep('running the whole model');
    const used = await runJob(
      {
        kind: 'whole',
        threads,
        modelPath,
        candidates: files,
        outputNames: plan.outputs.map(({ name }) => name),
        outputs: whole,
      },
      'the whole model',
      folder,
    );
    options.onStep(`running ${plan.slices.length} slices`);
    await runJob(
      { kind: 'chain', threads, slicesFolder, inputs: files[used], outputs: chained },
      'the chain of slices',
      folder,
    );
    return compare(plan, candidates[used], whole, chained);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function inputsFor(
  { model }: AnalysedModel,
  plan: SlicePlan,
  { inputs, dimensions, seed }: VerifyOptions,
): Promise<ReadonlyMap<string, RawTensor>[]> {
  if (inputs === undefined) return candidateInputs(plan.inputs, dimensions, seed);
  const names = model.graph.inputs.map(({ value }) => model.graph.values[value].name);
  const given = await readTensorFile(inputs, names);
  const chosen = plan.inputs.map(({ name }): [string, RawTensor] => {
    const tensor = given.get(name);
    if (tensor !== undefined) return [name, tensor];
    throw new SlicedInferenceError(
      `'${inputs}' must hold the inputs ${plan.inputs.map((input) => `'${input.name}'`).join(', ')}`,
      `no '${name}'`,
      'add it under that name',
    );
  });
  return [new Map(chosen)];
}

function compare(
  plan: SlicePlan,
  inputs: ReadonlyMap<string, RawTensor>,
  wholeFile: string,
  chainedFile: string,
): Verification {
  const expected = decodeSafetensors(fs.readFileSync(wholeFile));
  const got = decodeSafetensors(fs.readFileSync(chainedFile));
  const outputs = [...expected].map(([name, tensor]) => compareTensor(name, tensor, got.get(name)));
  const differences = outputs.map(({ maxAbsDiff }) => maxAbsDiff);
  return {
    identical: outputs.every(({ identical }) => identical),
    maxAbsDiff: differences.includes(null) ? null : Math.max(0, ...differences.map(Number)),
    slices: plan.slices.length,
    threads: plan.threads,
    inputs: [...inputs].map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    outputs,
  };
}
