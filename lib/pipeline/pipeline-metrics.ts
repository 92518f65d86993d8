/** The metric methods of `SlicedInferencePipeline`, and the public names of the figures in `lambda/telemetry/telemetry.ts`. */
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Token } from 'aws-cdk-lib';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { METRICS_NAMESPACE } from '../../contract/environment';
import { SlicedInferenceError } from '../errors';

/**
 * A metric that each call of a slice function reports if `sliceMetrics` is true.
 *
 * @example
 * const coldStarts = pipeline.metricSlice(0, SliceMetric.COLD_STARTS);
 */
export enum SliceMetric {
  /** Number of runs that had to load the slice. */
  COLD_STARTS = 'coldStarts',
  /** Time to download the slice's files and create the session, in milliseconds. It is 0 for a warm call. */
  LOAD_TIME = 'loadMs',
  /** Time to read the slice's input tensors, in milliseconds. */
  READ_TIME = 'readMs',
  /** Time of ONNX Runtime's run, in milliseconds. */
  RUN_TIME = 'runMs',
  /** Time to write the slice's output tensors, in milliseconds. */
  WRITE_TIME = 'writeMs',
  /** Bytes of tensors that the call read. */
  BYTES_READ = 'bytesRead',
  /** Bytes that the call wrote. */
  BYTES_WRITTEN = 'bytesWritten',
  /** Peak resident memory of the function's process since it started, in bytes. */
  PEAK_MEMORY = 'peakMemoryBytes',
}

const STATISTICS: Readonly<Record<SliceMetric, string>> = {
  [SliceMetric.COLD_STARTS]: cloudwatch.Stats.SUM,
  [SliceMetric.LOAD_TIME]: cloudwatch.Stats.AVERAGE,
  [SliceMetric.READ_TIME]: cloudwatch.Stats.AVERAGE,
  [SliceMetric.RUN_TIME]: cloudwatch.Stats.AVERAGE,
  [SliceMetric.WRITE_TIME]: cloudwatch.Stats.AVERAGE,
  [SliceMetric.BYTES_READ]: cloudwatch.Stats.SUM,
  [SliceMetric.BYTES_WRITTEN]: cloudwatch.Stats.SUM,
  [SliceMetric.PEAK_MEMORY]: cloudwatch.Stats.MAXIMUM,
};

export function sliceMetric(
  fn: lambda.IFunction,
  metric: SliceMetric,
  props: cloudwatch.MetricOptions = {},
): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: METRICS_NAMESPACE,
    metricName: metric,
    dimensionsMap: { FunctionName: fn.functionName },
    statistic: STATISTICS[metric],
    ...props,
  });
}

/**
 * Base class with the CloudWatch metrics of a pipeline. jsii hides an internal base class and attributes its methods to
 * `SlicedInferencePipeline`.
 *
 * @internal
 */
export abstract class PipelineMetrics extends Construct {
  public abstract readonly stateMachine: sfn.StateMachine;
  public abstract readonly functions: lambda.Function[];
  /** @internal */
  public abstract readonly _hasSliceMetrics: boolean;

  /**
   * The number of runs that started.
   *
   * @param props options of the metric
   * @default - the sum over five minutes
   */
  public metricStarted(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.stateMachine.metricStarted(props);
  }

  /**
   * The number of runs that succeeded.
   *
   * @param props options of the metric
   * @default - the sum over five minutes
   */
  public metricSucceeded(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.stateMachine.metricSucceeded(props);
  }

  /**
   * The number of runs that failed, including those that failed for an invalid request.
   *
   * @param props options of the metric
   * @default - the sum over five minutes
   * @example
   * pipeline.metricFailed().createAlarm(stack, 'RunsFail', {
   *   threshold: 1,
   *   evaluationPeriods: 1,
   * });
   */
  public metricFailed(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.stateMachine.metricFailed(props);
  }

  /**
   * The number of runs that exceeded the timeout of the state machine.
   *
   * @param props options of the metric
   * @default - the sum over five minutes
   */
  public metricTimedOut(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.stateMachine.metricTimedOut(props);
  }

  /**
   * The duration of runs, in milliseconds.
   *
   * @param props options of the metric
   * @default - the average over five minutes
   * @example
   * const slowest = pipeline.metricTime({ statistic: 'p99', period: Duration.hours(1) });
   */
  public metricTime(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.stateMachine.metricTime(props);
  }

  /**
   * A metric that the calls of a slice's function report. It requires the prop `sliceMetrics`. Warm-ups report no
   * metrics: if a warm-up loaded the slice, the run's own call reports that load.
   *
   * @param slice index of the slice, from 0
   * @param metric the metric
   * @param props options of the metric
   * @default - over five minutes: the sum of cold starts and bytes, the average of times, the maximum of memory
   * @throws an error of one line if the pipeline has no `sliceMetrics`
   * @example
   * const peak = pipeline.metricSlice(0, SliceMetric.PEAK_MEMORY, { period: Duration.hours(1) });
   */
  public metricSlice(
    slice: number,
    metric: SliceMetric,
    props?: cloudwatch.MetricOptions,
  ): cloudwatch.Metric {
    if (!this._hasSliceMetrics) {
      throw new SlicedInferenceError(
        'metricSlice must be called on a pipeline with sliceMetrics',
        'one without',
        'set its sliceMetrics to true',
      );
    }
    return sliceMetric(this.sliceFunction(slice), metric, props);
  }

  private sliceFunction(slice: number): lambda.Function {
    const fn = this.functions.at(slice);
    if (fn !== undefined && Number.isInteger(slice) && slice >= 0) return fn;
    throw new SlicedInferenceError(
      `slice must be a whole number from 0 to ${this.functions.length - 1}`,
      Token.isUnresolved(slice) ? 'a CDK token' : String(slice),
      "pass the index of one of the pipeline's slices",
    );
  }
}
