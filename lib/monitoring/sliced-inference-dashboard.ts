/** A CloudWatch dashboard that shows pipelines. */
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { SlicedInferenceError } from '../errors';
import type { SlicedInferenceBatch } from '../batch/sliced-inference-batch';
import { SliceMetric, sliceMetric } from '../pipeline/pipeline-metrics';
import type { DeployedModel, RunMetrics } from '../pipeline/deployed-model';
import { runMetrics } from '../pipeline/sliced-inference-pipeline';

/** Properties of `SlicedInferenceDashboard`. */
export interface SlicedInferenceDashboardProps {
  /** The pipelines and functions to show, one below the other. */
  readonly pipelines: DeployedModel[];

  /**
   * Batches to show below the pipelines.
   *
   * @default - none
   */
  readonly batches?: SlicedInferenceBatch[];

  /**
   * Name of the dashboard.
   *
   * @default - a name that CloudFormation generates
   */
  readonly dashboardName?: string;
}

/** A dashboard has 24 columns: three graphs in a row. */
const WIDTH = 8;
const HEIGHT = 6;

/**
 * A CloudWatch dashboard that shows each pipeline in two or three rows of graphs: the outcomes and durations of its
 * runs, and for each slice and the whole model the durations, numbers, failures and throttles of its calls. For a pipeline with
 * `sliceMetrics` it also shows cold starts, the time of ONNX Runtime's run and peak memory. An account has three
 * dashboards for free; each further one costs $3 a month.
 *
 * @example
 * new SlicedInferenceDashboard(stack, 'Dashboard', { pipelines: [pipeline] });
 */
export class SlicedInferenceDashboard extends Construct {
  /** The dashboard. Add your own widgets to it. */
  public readonly dashboard: cloudwatch.Dashboard;

  public constructor(scope: Construct, id: string, props: SlicedInferenceDashboardProps) {
    super(scope, id);
    const { pipelines, batches = [], dashboardName } = props;
    if (pipelines.length === 0)
      throw new SlicedInferenceError(
        'pipelines must have one or more',
        'an empty list',
        'pass [pipeline]',
      ).at(this.node.path);
    this.dashboard = new cloudwatch.Dashboard(this, 'Dashboard', {
      ...(dashboardName !== undefined && { dashboardName }),
      widgets: [...pipelines.flatMap(rowsOf), ...batches.map(batchRow)],
    });
  }
}

function rowsOf(pipeline: DeployedModel): cloudwatch.IWidget[][] {
  const rows = [runRow(pipeline), callRow(pipeline)];
  return pipeline._deployed.settings.sliceMetrics ? [...rows, sliceMetricRow(pipeline)] : rows;
}

function outcomesOf({ started, succeeded, failed, timedOut }: RunMetrics): cloudwatch.IMetric[] {
  return [
    started({ label: 'started' }),
    ...(succeeded ? [succeeded({ label: 'succeeded' })] : []),
    failed({ label: 'failed' }),
    ...(timedOut ? [timedOut({ label: 'timed out' })] : []),
  ];
}

function batchRow({ node, stateMachine, function: fn }: SlicedInferenceBatch): cloudwatch.IWidget[] {
  // A child calls the function when it starts and when it ends; the last call fails if one of its items has failed.
  const calls = [fn.metricInvocations({ label: 'calls' }), fn.metricErrors({ label: 'failed calls' })];
  const times = ['p50', 'p95'].map((statistic) => stateMachine.metricTime({ statistic, label: statistic }));
  return [
    graph({ node }, 'batches', outcomesOf(runMetrics(stateMachine)), 'batches'),
    graph({ node }, 'time of a batch', times, 'ms'),
    graph({ node }, 'starts and ends of runs', calls, 'calls'),
  ];
}

function runRow(pipeline: DeployedModel): cloudwatch.IWidget[] {
  const { _runs: runs } = pipeline;
  const times = ['p50', 'p95', 'p99'].map((statistic) => runs.time({ statistic, label: statistic }));
  const callTimes = perFunction(pipeline, (fn, props) => fn.metricDuration({ ...props, statistic: 'p95' }));
  return [
    graph(pipeline, 'runs', outcomesOf(runs), 'runs'),
    graph(pipeline, 'time of a run', times, 'ms'),
    graph(pipeline, 'p95 of calls', callTimes, 'ms'),
  ];
}

function callRow(pipeline: DeployedModel): cloudwatch.IWidget[] {
  const calls = perFunction(pipeline, (fn, props) => fn.metricInvocations(props));
  const errors = perFunction(pipeline, (fn, props) => fn.metricErrors(props));
  const throttles = perFunction(pipeline, (fn, props) => fn.metricThrottles(props));
  return [
    graph(pipeline, 'calls', calls, 'calls'),
    graph(pipeline, 'failed calls', errors, 'calls'),
    graph(pipeline, 'calls without capacity', throttles, 'calls'),
  ];
}

function sliceMetricRow(pipeline: DeployedModel): cloudwatch.IWidget[] {
  const metrics = (metric: SliceMetric, more: cloudwatch.MetricOptions = {}): cloudwatch.Metric[] =>
    perFunction(pipeline, (fn, props) => sliceMetric(fn, metric, { ...more, ...props }));
  return [
    graph(pipeline, 'cold starts', metrics(SliceMetric.COLD_STARTS), 'runs'),
    graph(pipeline, "p95 of ONNX Runtime's run", metrics(SliceMetric.RUN_TIME, { statistic: 'p95' }), 'ms'),
    graph(pipeline, 'peak memory', metrics(SliceMetric.PEAK_MEMORY), 'bytes'),
  ];
}

/** One metric of each slice and, with consolidation, of the whole model, with its name as the label. */
function perFunction(
  { _functions: functions }: DeployedModel,
  metricOf: (fn: lambda.Function, props: cloudwatch.MetricOptions) => cloudwatch.Metric,
): cloudwatch.Metric[] {
  return [...functions].map(([label, fn]) => metricOf(fn, { label }));
}

function graph(
  { node }: Pick<Construct, 'node'>,
  title: string,
  left: cloudwatch.IMetric[],
  unit: string,
): cloudwatch.GraphWidget {
  return new cloudwatch.GraphWidget({
    title: `${node.path}: ${title}`,
    left,
    leftYAxis: { label: unit, showUnits: false, min: 0 },
    width: WIDTH,
    height: HEIGHT,
  });
}
