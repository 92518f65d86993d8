/** The metrics of slices: the public names of the figures in `lambda/telemetry/telemetry.ts`. */
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { METRICS_NAMESPACE } from '../../contract/environment';

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
