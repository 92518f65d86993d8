/** Runs the whole model and its chained slices, and compares their outputs bit by bit. */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { SlicedInferenceError, quoted } from '../../lib/errors';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { type AnalyzeOptions, type AnalyzedModel, analyzeModel } from '../../lib/compile/analyze';
import { compileAnalyzed } from '../../lib/compile/compile';
import { cutModel } from '../../lib/compile/fit-by-splits';
import { planEstimates } from '../../lib/compile/plan-estimates';
import { writeSlices } from '../../lib/emit/write';
import type { OptimizationLevel } from '../../lib/optimize/level';
import type { SlicePlan } from '../../lib/plan/file/plan';
import type { PlannedInt8Weights } from '../../lib/plan/int8-weights';
import { threadCount } from '../../lib/plan/sizes/estimate';
import { type Slicer, count } from '../../lib/plan/slicers';
import type { DimensionSizes } from '../../lib/shapes/value-types';
import { sortedByModel } from '../outputs/out-file';
import { readInputs } from '../tensor-files';
import { type OtherDifference, type TensorComparison, compareTensor, largestDifference } from './difference';
import { type Job, type JobWording, type WholeJob, runJob } from './run-job';
import { hasFloats, withSpecialValues } from './seeded-inputs';
import { nodeCommand } from './emulated-node';
import { processorClass } from '../../lambda/telemetry/processor';
import { type RunnableModel, multipliesExactly, wholeModels } from './whole-model';

type Tensors = ReadonlyMap<string, RawTensor>;

export interface VerifyOptions {
  readonly slicer: Slicer;
  readonly dimensions: DimensionSizes;
  readonly optimization: OptimizationLevel;
  /** By what estimates the slices are planned. */
  readonly estimates?: Pick<AnalyzeOptions, 'costs' | 'splits'>;
  /** Whether the only slice runs as a function of the whole model does, beside a session that optimizes all. @default false */
  readonly isFunction?: boolean;
  /** Whether the slices are also compared with the whole model at ONNX Runtime's defaults. */
  readonly againstDefault?: boolean;
  /** File of inputs. By default, inputs are generated. */
  readonly inputs?: string;
  /** Threads of ONNX Runtime. @default - those of the plan */
  readonly threads?: number;
  readonly seed: number;
  readonly onStep: (step: string) => void;
}

export interface Verification {
  /** Whether every output has the same dtype, shape and bits, for special values too. */
  readonly identical: boolean;
  /** Largest absolute difference over all outputs; `null` if it is `null` for any output, see `TensorComparison`. */
  readonly maxAbsDiff: number | null;
  readonly otherDifferences: readonly OtherDifference[];
  readonly slices: number;
  readonly threads: number;
  /** Whether ONNX Runtime for arm64 ran under QEMU. */
  readonly isEmulated: boolean;
  readonly graphOptimization: OptimizationLevel | 'all';
  readonly inputs: readonly Pick<TensorComparison, 'name' | 'dtype' | 'shape'>[];
  readonly outputs: readonly TensorComparison[];
  /** Absent if the processors of Lambda multiply all 8-bit weights of the model exactly. */
  readonly int8Weights?: VerifiedInt8Weights;
  /**
   * The outputs for the same inputs with infinities, NaN with payloads, denormals and -0.0 among their floats, or that the model does not run on
   * these; absent if the inputs are given or have no floats.
   */
  readonly specialValues?: readonly TensorComparison[] | 'refused';
  /** The slices beside the whole model with all of ONNX Runtime's defaults. */
  readonly againstDefault?: readonly TensorComparison[];
}

export interface VerifiedInt8Weights extends PlannedInt8Weights {
  /** Whether this processor computes the model as given with the bits of exact products, on these inputs. Absent if there is nothing to rewrite. */
  readonly isGivenExact?: boolean;
  /** Whether the results differ although this processor multiplies all types exactly: then the other type of weights changed them. */
  readonly isChanged: boolean;
}

function verifiedInt8Weights(
  planned: PlannedInt8Weights,
  processor: string,
  isGivenExact?: boolean,
): VerifiedInt8Weights {
  const isChanged = isGivenExact === false && planned.inexact.length === 0 && multipliesExactly(processor);
  return { ...planned, ...(isGivenExact !== undefined && { isGivenExact }), isChanged };
}

/**
 * @throws SlicedInferenceError when the model or the slicing is unusable, or the model does not run
 * @throws NamedFailure `InvalidInput` when the inputs do not match the model
 */
export async function verify(modelPath: string, options: VerifyOptions): Promise<Verification> {
  const { slicer, dimensions, optimization, estimates = {}, onStep } = options;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-verify-'));
  try {
    // Before a large model is read and written.
    const node = nodeCommand(estimates.costs?.architecture, folder);
    onStep(`reading ${modelPath}`);
    const analyzed = analyzeModel(modelPath, { dimensions, optimization, ...estimates });
    const compiled = compileAnalyzed(analyzed, slicer);
    const { inputs: request, fixedInputs } = compiled.plan;
    const given =
      options.inputs === undefined ? undefined : await readInputs(options.inputs, request, fixedInputs);
    const plan = writeSlices(compiled, path.join(folder, SLICES), {
      onFile: ({ file }) => {
        onStep(`writing ${file}`);
      },
    });
    const threads = options.threads ?? (options.isFunction ? functionThreads(analyzed, plan) : plan.threads);
    const runs = runsIn(folder, modelPath, analyzed, plan, { ...options, threads, node });
    return await compareRuns(runs, given, options);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Of the memory that `plan` compares and an `InferenceFunction` deploys: more than the least one, if that costs less or is faster. */
function functionThreads(analyzed: AnalyzedModel, { slices: [{ memoryMb }] }: SlicePlan): number {
  const slicer = count(1);
  const { oneFunction } = planEstimates(analyzed, cutModel(analyzed, slicer).cut, slicer);
  return threadCount(Math.max(memoryMb, oneFunction.memoryMb));
}

const SLICES = 'slices';

async function compareRuns(
  runs: Runs,
  given: Tensors | undefined,
  { dimensions, againstDefault, seed, onStep }: VerifyOptions,
): Promise<Verification> {
  const { plan, threads, file, other } = runs;
  const inputs = file('inputs');
  onStep('running the whole model');
  if (given) fs.writeFileSync(inputs, encodeSafetensors(given));
  const generated = { specs: plan.inputs, dimensions, planned: plan.dimensions, seed };
  const whole = await (given ? runs.whole(inputs, GIVEN) : runs.whole(inputs, GENERATED, { generated }));
  onStep(`running ${plan.slices.length} slices`);
  const chained = await runs.slices(inputs);
  const requests = read(inputs);
  const outputs = compareOutputs(plan, whole, chained);
  const special = withSpecialValues(requests, 'all', seed);
  const specialValues = given ? undefined : await onSpecialValues(runs, special, file('special'));
  let isGivenExact: boolean | undefined;
  if (other) {
    onStep('running the whole model with the other type of 8-bit weights');
    const others = await runs.whole(inputs, OTHER_WEIGHTS, { model: other });
    isGivenExact = isIdentical(compareOutputs(plan, whole, others));
  }
  const int8Weights = plan.int8Weights && verifiedInt8Weights(plan.int8Weights, runs.processor, isGivenExact);
  if (againstDefault) onStep('running the whole model with default settings');
  const byDefault = againstDefault && (await runs.whole(inputs, BY_DEFAULT, { model: runs.atDefaults }));
  return {
    identical: isIdentical(outputs) && isIdentical(specialValues) && !int8Weights?.isChanged,
    ...largestDifference(outputs),
    slices: plan.slices.length,
    ...{ threads, isEmulated: runs.isEmulated },
    graphOptimization: runs.optimizes ? 'all' : plan.graphOptimization,
    inputs: [...sortedByModel(plan.inputs, requests)].map(([name, { dtype, shape }]) => {
      return { name, dtype, shape };
    }),
    outputs,
    ...(specialValues && { specialValues }),
    ...(int8Weights && { int8Weights }),
    ...(byDefault && { againstDefault: compareOutputs(plan, byDefault, chained) }),
  };
}

type Runs = ReturnType<typeof runsIn>;

interface RunOptions extends Pick<VerifyOptions, 'threads' | 'isFunction'> {
  /** The command that starts Node.js. */
  readonly node: readonly string[];
}

/** Each run reads its inputs from a file, or generates them and writes them there. */
function runsIn(
  folder: string,
  modelPath: string,
  analyzed: AnalyzedModel,
  plan: SlicePlan,
  { threads: givenThreads, isFunction = false, node }: RunOptions,
) {
  const [threads, { prepacking }] = [threadsOf(plan, givenThreads), analyzed.costs];
  const optimizes = isFunction && plan.graphOptimization === 'none';
  const { reference, other } = wholeModels(modelPath, analyzed, folder);
  const isEmulated = node.length > 1;
  const outputNames = plan.outputs.map(({ name }) => name);
  const file = (name: string): string => path.join(folder, `${name}.safetensors`);
  const run = async (job: Job, wording: JobWording): Promise<Tensors> => {
    await runJob(job, wording, { folder, model: analyzed.model, node });
    return read(job.outputs);
  };
  const common = { threads, prepacking };
  type From = Pick<WholeJob, 'generated'> & { readonly model?: RunnableModel };
  return {
    ...{ plan, threads, file, other, optimizes },
    ...{ isEmulated, processor: isEmulated ? 'arm64' : processorClass() },
    atDefaults: { modelPath, optimization: 'default' } satisfies RunnableModel,
    /** @param from by default, the whole model whose bits the slices must have, on inputs of the file */
    whole: (inputs: string, wording: JobWording, { model = reference, ...from }: From = {}) =>
      run(
        {
          ...{ kind: 'whole', ...common, outputNames, ...model, inputs, outputs: file('whole'), ...from },
          ...(optimizes && model.optimization === 'none' && { optimization: 'all' }),
        },
        wording,
      ),
    slices: (inputs: string) => {
      const slicesFolder = path.join(folder, SLICES);
      const job = {
        kind: 'chain',
        ...common,
        inputs,
        slicesFolder,
        outputs: file('chained'),
        optimizes,
      } as const;
      return run(job, CHAINED);
    },
  };
}

async function onSpecialValues(
  runs: Runs,
  special: Tensors,
  file: string,
): Promise<Verification['specialValues']> {
  if (!hasFloats(special.values())) return undefined;
  fs.writeFileSync(file, encodeSafetensors(special));
  let whole: Tensors;
  try {
    whole = await runs.whole(file, GENERATED);
  } catch (error) {
    // The model need not run on such values.
    if (error instanceof SlicedInferenceError) return 'refused';
    throw error;
  }
  return compareOutputs(runs.plan, whole, await runs.slices(file));
}

const GIVEN: JobWording = {
  what: 'the whole model must run in ONNX Runtime on the given inputs',
  advice: 'check their values, and that the model runs on its own',
};

const GENERATED: JobWording = {
  what: 'the whole model must run in ONNX Runtime on generated inputs',
  advice: 'pass real inputs with --inputs, or the sizes of symbolic dimensions with --dimension',
};

const OTHER_WEIGHTS: JobWording = {
  what: 'the whole model must also run with the other type of 8-bit weights',
  advice: 'this is a bug of this tool, report it with the model',
};

const CHAINED: JobWording = {
  what: 'the slices must run in ONNX Runtime as the whole model does',
  advice: 'this is a bug of this tool, report it with the model',
};

const BY_DEFAULT: JobWording = {
  what: "the whole model must run with ONNX Runtime's default settings",
  advice: 'leave --against out',
};

/** @throws SlicedInferenceError for more threads than the parts of the plan allow: no deployment has them */
function threadsOf({ threads, splits = [] }: SlicePlan, given = threads): number {
  const split = splits.find(({ mostThreads = given }) => mostThreads < given);
  if (split === undefined) return given;
  throw new SlicedInferenceError(
    `--threads must be at most ${split.mostThreads}, with the parts of ${quoted(split.name)}`,
    String(given),
    'leave it out, or use fewer parts',
  );
}

function read(file: string): Tensors {
  return decodeSafetensors(fs.readFileSync(file));
}

function isIdentical(compared: readonly TensorComparison[] | 'refused' = []): boolean {
  return compared === 'refused' || compared.every(({ identical }) => identical);
}

function compareOutputs({ outputs }: SlicePlan, expected: Tensors, got: Tensors): TensorComparison[] {
  return [...sortedByModel(outputs, expected)].map(([name, tensor]) =>
    compareTensor(name, tensor, got.get(name)),
  );
}
