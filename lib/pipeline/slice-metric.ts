/** What calls of slice functions report of themselves: the public names of `lambda/telemetry.ts`. */
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { METRICS_NAMESPACE } from '../../contract/environment';

/** A figure that each call of a slice's function reports of itself. */
export enum SliceMetric {
  /** Runs that had to load the slice. */
  COLD_STARTS = 'coldStarts',
  /** Fetching the slice's files and making the session, in milliseconds; 0 for a warm call. */
  LOAD_TIME = 'loadMs',
  /** Reading tensors, in milliseconds. */
  READ_TIME = 'readMs',
  /** ONNX Runtime's run, in milliseconds. */
  RUN_TIME = 'runMs',
  /** Writing tensors, in milliseconds. */
  WRITE_TIME = 'writeMs',
  /** Bytes of tensors that were read. */
  BYTES_READ = 'bytesRead',
  /** Bytes that were written. */
  BYTES_WRITTEN = 'bytesWritten',
  /** Highest resident memory of the function's process so far, in bytes. */
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
