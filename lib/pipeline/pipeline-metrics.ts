/** The metric methods of the construct. */
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { SlicedInferenceError } from '../errors';
import type { SliceMetric } from './slice-metric';
import { sliceMetric } from './slice-metric';

/**
 * The CloudWatch metrics of a pipeline. To jsii a base class that is internal is hidden, and its methods are those of
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
   * Runs that began.
   *
   * @param props of the metric
   * @default - the sum over five minutes
   */
  public metricStarted(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.stateMachine.metricStarted(props);
  }

  /**
   * Runs that ended with results.
   *
   * @param props of the metric
   * @default - the sum over five minutes
   */
  public metricSucceeded(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.stateMachine.metricSucceeded(props);
  }

  /**
   * Runs that failed, those for an invalid request included.
   *
   * @param props of the metric
   * @default - the sum over five minutes
   */
  public metricFailed(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.stateMachine.metricFailed(props);
  }

  /**
   * Runs that took longer than the state machine allows.
   *
   * @param props of the metric
   * @default - the sum over five minutes
   */
  public metricTimedOut(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.stateMachine.metricTimedOut(props);
  }

  /**
   * How long runs took, in milliseconds.
   *
   * @param props of the metric
   * @default - the average over five minutes
   */
  public metricTime(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.stateMachine.metricTime(props);
  }

  /**
   * Calls of a slice's function, those that are tried again and those that only warm up included.
   *
   * @param slice index of the slice, from 0
   * @param props of the metric
   * @default - the sum over five minutes
   */
  public metricSliceInvocations(slice: number, props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.sliceFunction(slice).metricInvocations(props);
  }

  /**
   * How long the calls of a slice's function took, in milliseconds: loading, reading, running and writing. Where runs warm
   * up, every other call does no more than that, so that a high percentile tells more than the average.
   *
   * @param slice index of the slice, from 0
   * @param props of the metric
   * @default - the average over five minutes
   */
  public metricSliceDuration(slice: number, props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.sliceFunction(slice).metricDuration(props);
  }

  /**
   * Calls of a slice's function that failed, those that are tried again included, and warm-ups, which fail no run.
   *
   * @param slice index of the slice, from 0
   * @param props of the metric
   * @default - the sum over five minutes
   */
  public metricSliceErrors(slice: number, props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.sliceFunction(slice).metricErrors(props);
  }

  /**
   * Calls of a slice's function that found no capacity. The state machine tries them again for some 40 seconds.
   *
   * @param slice index of the slice, from 0
   * @param props of the metric
   * @default - the sum over five minutes
   */
  public metricSliceThrottles(slice: number, props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.sliceFunction(slice).metricThrottles(props);
  }

  /**
   * What the calls of a slice's function report of themselves, where `sliceMetrics` is on. Warm-ups report nothing; a load
   * that one did counts as that of its run's own call.
   *
   * @param slice index of the slice, from 0
   * @param metric which figure
   * @param props of the metric
   * @default - the sum over five minutes of cold starts and bytes, the average of times, the maximum of memory
   */
  public metricSlice(
    slice: number,
    metric: SliceMetric,
    props?: cloudwatch.MetricOptions,
  ): cloudwatch.Metric {
    if (!this._hasSliceMetrics) {
      throw new SlicedInferenceError(
        'metricSlice must be of a pipeline that has such metrics',
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
      `a slice must be a whole number from 0 to ${this.functions.length - 1}`,
      String(slice),
      "give the index of one of the pipeline's slices",
    );
  }
}
