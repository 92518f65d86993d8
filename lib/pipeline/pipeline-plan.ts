/** The plan of a pipeline, as apps read it. */
import { Duration } from 'aws-cdk-lib';
import type { PlanEstimates } from '../compile/plan-estimates';
import type { RunCost } from '../cost/chain';
import type { PlannedSlice, SlicePlan } from '../plan/file/plan';

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
}

/** @param whole with consolidation */
export function pipelinePlan(
  plan: SlicePlan,
  estimates: PlanEstimates | undefined,
  whole: SlicePlan | undefined,
): PipelinePlan {
  return {
    slices: plan.slices.map(pipelineSlice),
    ...(whole && { whole: pipelineSlice(whole.slices[0]) }),
    threads: plan.threads,
    dimensions: { ...plan.dimensions },
    assumedDimensions: [...plan.assumedDimensions],
    ...(estimates && { warmRun: plannedRun(estimates.warm), coldRun: plannedRun(estimates.cold) }),
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

function plannedRun({ dollars, latency }: RunCost): PlannedRun {
  return {
    costPerMillion: dollars * MILLION,
    latencyP50: Duration.millis(latency.p50),
    latencyP95: Duration.millis(latency.p95),
  };
}
