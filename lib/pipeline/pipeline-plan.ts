/** The plan of a pipeline: as apps read it, and what a user should know of it. */
import { Duration, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { PlanEstimates, RunEstimate } from '../compile/plan-estimates';
import type { RunCost } from '../cost/chain';
import { SLICE_WITH_INPUTS, dataSizesNote } from '../plan/notes';
import type { PlannedSlice, SlicePlan } from '../plan/file/plan';
import { inexactNote } from '../plan/int8-weights';
import { sliceName } from '../../contract/keys';
import { inform, warn } from '../aws/annotate';
import { listed, printable, quoted } from '../errors';
import { onnxRuntimeVersion } from '../host/packages';

/** How a model was cut, and what its runs are estimated to cost. `planPath` has the path of the complete plan. */
export interface PipelinePlan {
  /** The slices, in the order of the slice functions. */
  readonly slices: PipelineSlice[];

  /** Threads of ONNX Runtime in every slice. */
  readonly threads: number;

  /** The sizes of symbolic dimensions for which the estimates are made. */
  readonly dimensions: { [name: string]: number };

  /** Names of the dimensions whose sizes were assumed. */
  readonly assumedDimensions: string[];

  /**
   * The whole model as one slice, in a pipeline with consolidation.
   *
   * @default - the pipeline has no consolidation
   */
  readonly whole?: PipelineSlice;

  /**
   * A run that finds all functions warm, by the model of cost. With consolidation, the whole model serves it.
   *
   * @default - not known for a `slicedModel`
   */
  readonly warmRun?: PlannedRun;

  /**
   * A run that finds all functions cold, by the model of cost. With consolidation, it also asks the whole model and lets it load.
   *
   * @default - not known for a `slicedModel`
   */
  readonly coldRun?: PlannedRun;
}

/** A slice of a `PipelinePlan`, with estimates for the planned dimensions. */
export interface PipelineSlice {
  /** Bytes of the slice's files. */
  readonly fileBytes: number;

  /** Bytes of its weights. */
  readonly weightBytes: number;

  /** Bytes that it reads from the request and from earlier slices. */
  readonly readBytes: number;

  /** Bytes that it writes. */
  readonly writeBytes: number;

  /** Expected peak of the function's resident memory, in bytes. */
  readonly peakMemoryBytes: number;

  /** Memory of its function, in MB, unless the props set another size. */
  readonly memorySize: number;
}

/** What a run is estimated to cost, and how long it takes. */
export interface PlannedRun {
  /** Price of a million runs, in US dollars. */
  readonly costPerMillion: number;

  /** Median of the time of a run. */
  readonly latencyP50: Duration;

  /** The time within which 95 of 100 runs end. */
  readonly latencyP95: Duration;

  /**
   * The same where the constants of the estimate that are believed or fitted make runs fastest.
   *
   * @default - absent in what is itself an end
   */
  readonly fastest?: PlannedRun;

  /**
   * The same where these constants make runs slowest.
   *
   * @default - absent in what is itself an end
   */
  readonly slowest?: PlannedRun;
}

export function pipelinePlan(
  plan: SlicePlan,
  estimates: Pick<PlanEstimates, 'warm' | 'cold'> | undefined,
  whole: SlicePlan | undefined,
): PipelinePlan {
  return {
    slices: plan.slices.map(pipelineSlice),
    ...(whole && { whole: pipelineSlice(whole.slices[0]) }),
    threads: plan.threads,
    dimensions: { ...plan.dimensions },
    assumedDimensions: [...plan.assumedDimensions],
    ...(estimates && { warmRun: estimatedRun(estimates.warm), coldRun: estimatedRun(estimates.cold) }),
  };
}

function pipelineSlice(slice: PlannedSlice): PipelineSlice {
  return {
    fileBytes: slice.model.bytes + (slice.weights?.bytes ?? 0),
    weightBytes: slice.weightBytes,
    readBytes: slice.readBytes,
    writeBytes: slice.writeBytes,
    peakMemoryBytes: slice.peakMemoryBytes,
    memorySize: slice.memoryMb,
  };
}

const MILLION = 1e6;

function estimatedRun({ ends: { fast, slow }, ...run }: RunEstimate): PlannedRun {
  return { ...plannedRun(run), fastest: plannedRun(fast), slowest: plannedRun(slow) };
}

function plannedRun({ dollars, latency }: RunCost): PlannedRun {
  return {
    costPerMillion: dollars * MILLION,
    latencyP50: Duration.millis(latency.p50),
    latencyP95: Duration.millis(latency.p95),
  };
}

const NAMED = 6;

export function warnOfAssumptions(
  scope: Construct,
  plan: SlicePlan,
  { memorySizes, isX86 }: { readonly memorySizes: readonly number[]; readonly isX86: boolean },
): void {
  const { assumedDimensions, boundedTensors, dataSizes, dimensions, int8Weights, onnxRuntime, slices } = plan;
  const inexact = int8Weights && inexactNote(int8Weights);
  if (dataSizes?.isGenerated) warn(scope, 'dataSizes', dataSizesNote(dataSizes, SLICE_WITH_INPUTS));
  if (isX86 && inexact !== undefined) warn(scope, 'inexactIntegers', inexact);
  if (assumedDimensions.length > 0) {
    const sizes = listed(
      assumedDimensions.map((name) => `${printable(name)}=${dimensions[name]}`),
      NAMED,
    );
    warn(
      scope,
      'assumedDimensions',
      `memory and cuts are planned with assumed sizes, ${sizes}: set dimensions to the sizes of your requests`,
    );
  }
  if (boundedTensors.length > 0) {
    const names = listed(boundedTensors.map(quoted), NAMED);
    warn(
      scope,
      'boundedTensors',
      `sizes of tensors depend on data, and memory and cuts are planned with estimates for ${names}: compare the memory that runs use with the functions' memory`,
    );
  }
  if (onnxRuntime !== onnxRuntimeVersion()) {
    warn(
      scope,
      'otherOnnxRuntime',
      `the model was sliced for ONNX Runtime ${onnxRuntime} and will run on ${onnxRuntimeVersion()}: slice it again with this version of the library`,
    );
  }
  const short = slices.findIndex(
    ({ memoryMb }, slice) => !Token.isUnresolved(memorySizes[slice]) && memorySizes[slice] < memoryMb,
  );
  if (short >= 0) {
    warn(
      scope,
      'littleMemory',
      `the function of ${sliceName(short)} has ${memorySizes[short]} MB of memory, and the plan estimates that it needs ${slices[short].memoryMb} MB: raise its memorySize`,
    );
  }
}

/**
 * Nothing is wrong with slices that one function could replace, so that is an info, which `cdk synth --strict` allows. It is the
 * sentence with which `sliced-inference plan` begins.
 *
 * @param isAutomatic whether the search chose the number of slices
 */
export function annotatePlan(
  scope: Construct,
  { slices }: SlicePlan,
  { oneFunction, refusedSizes, uselessSlices }: PlanEstimates,
  isAutomatic: boolean,
): void {
  if (refusedSizes !== undefined)
    warn(scope, 'refusedDimensions', `${refusedSizes}; set dimensions to sizes with which the model runs`);
  if (uselessSlices !== undefined) warn(scope, 'uselessSlices', uselessSlices);
  if (slices.length === 1 && isAutomatic)
    inform(scope, 'oneSlice', `Slicing.automatic makes one slice: ${oneFunction.verdict}`);
  if (slices.length > 1 && oneFunction.isCheaper) inform(scope, 'oneFunction', oneFunction.verdict);
}
