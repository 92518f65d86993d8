/** A CloudWatch dashboard of pipelines. */
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { sliceName } from '../../contract/keys';
import { SliceMetric } from '../pipeline/slice-metric';
import type { SlicedInferencePipeline } from '../pipeline/sliced-inference-pipeline';

/** Properties of `SlicedInferenceDashboard`. */
export interface SlicedInferenceDashboardProps {
  /** The pipelines to show, each in a row of its own. */
  readonly pipelines: SlicedInferencePipeline[];

  /**
   * Name of the dashboard.
   *
   * @default - made by CloudFormation
   */
  readonly dashboardName?: string;
}

/** CloudWatch has 24 columns. */
const WIDTH = 8;
const HEIGHT = 6;

/**
 * Shows for each pipeline its runs and how they ended, how long they took, and how long the calls of each slice took and
 * how often they failed or found no capacity; with `sliceMetrics` also cold starts, ONNX Runtime's time and memory. A dashboard costs $3 a month, beyond the first three of an account.
 */
export class SlicedInferenceDashboard extends Construct {
  /** The dashboard, to which more can be added. */
  public readonly dashboard: cloudwatch.Dashboard;

  public constructor(scope: Construct, id: string, props: SlicedInferenceDashboardProps) {
    super(scope, id);
    const { pipelines, dashboardName } = props;
    this.dashboard = new cloudwatch.Dashboard(this, 'Dashboard', {
      ...(dashboardName !== undefined && { dashboardName }),
      widgets: pipelines.flatMap(rowsOf),
    });
  }
}

function rowsOf(pipeline: SlicedInferencePipeline): cloudwatch.IWidget[][] {
  const name = pipeline.node.path;
  const graph = (title: string, left: cloudwatch.IMetric[], unit: string): cloudwatch.GraphWidget =>
    new cloudwatch.GraphWidget({
      title: `${name}: ${title}`,
      left,
      leftYAxis: { label: unit, showUnits: false, min: 0 },
      width: WIDTH,
      height: HEIGHT,
    });
  const ofSlices = (metricOf: (slice: number, label: string) => cloudwatch.Metric): cloudwatch.Metric[] =>
    pipeline.functions.map((_, slice) => metricOf(slice, sliceName(slice)));
  const percentile = (statistic: string): cloudwatch.Metric =>
    pipeline.metricTime({ statistic, label: statistic });
  return [
    [
      graph(
        'runs',
        [
          pipeline.metricStarted({ label: 'started' }),
          pipeline.metricSucceeded({ label: 'succeeded' }),
          pipeline.metricFailed({ label: 'failed' }),
          pipeline.metricTimedOut({ label: 'timed out' }),
        ],
        'runs',
      ),
      graph('time of a run', ['p50', 'p95', 'p99'].map(percentile), 'ms'),
      graph(
        'p95 of calls',
        ofSlices((slice, label) => pipeline.metricSliceDuration(slice, { label, statistic: 'p95' })),
        'ms',
      ),
    ],
    [
      graph(
        'calls',
        ofSlices((slice, label) => pipeline.metricSliceInvocations(slice, { label })),
        'calls',
      ),
      graph(
        'failed calls',
        ofSlices((slice, label) => pipeline.metricSliceErrors(slice, { label })),
        'calls',
      ),
      graph(
        'calls without capacity',
        ofSlices((slice, label) => pipeline.metricSliceThrottles(slice, { label })),
        'calls',
      ),
    ],
    ...(pipeline._hasSliceMetrics ? [ownMetrics()] : []),
  ];

  function ownMetrics(): cloudwatch.IWidget[] {
    const of = (metric: SliceMetric, props: cloudwatch.MetricOptions = {}): cloudwatch.Metric[] =>
      ofSlices((slice, label) => pipeline.metricSlice(slice, metric, { ...props, label }));
    return [
      graph('cold starts', of(SliceMetric.COLD_STARTS), 'runs'),
      graph("p95 of ONNX Runtime's run", of(SliceMetric.RUN_TIME, { statistic: 'p95' }), 'ms'),
      graph('peak memory', of(SliceMetric.PEAK_MEMORY), 'bytes'),
    ];
  }
}
