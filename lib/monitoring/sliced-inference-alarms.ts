/** CloudWatch alarms of a pipeline. */
import { Duration, Token } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { inConstruct } from '../aws/annotate';
import { SlicedInferenceError } from '../errors';
import type { SlicedInferenceBatch } from '../batch/sliced-inference-batch';
import { given, knownAtSynth } from '../pipeline/known-at-synth';
import type { DeployedModel } from '../pipeline/deployed-model';
import { SlicedInferencePipeline } from '../pipeline/sliced-inference-pipeline';

/** Properties of `SlicedInferenceAlarms`. */
export interface SlicedInferenceAlarmsProps {
  /** The pipeline or function to watch. */
  readonly pipeline: DeployedModel;

  /**
   * Batches to watch too: an alarm goes off if one fails or times out.
   *
   * @default - none
   */
  readonly batches?: SlicedInferenceBatch[];

  /**
   * Number of failed runs in five minutes that sets off the alarm: a whole number, 1 or more. Runs that fail for an
   * invalid request count too.
   *
   * @default 1
   */
  readonly maxFailedRuns?: number;

  /**
   * Number of failed items of a batch in five minutes that sets off an alarm: a whole number, 1 or more.
   *
   * @default - no alarm for failed items
   */
  readonly maxFailedItems?: number;

  /**
   * The longest acceptable duration of a run, as the 95th percentile. An alarm goes off if the percentile is above it
   * for two periods of five minutes in a row.
   *
   * @default - no alarm for slow runs
   */
  readonly maxTime?: Duration;

  /**
   * Actions of all alarms, run when an alarm goes off and when it returns to OK.
   *
   * @default - no actions; add them with `addAlarmAction`
   */
  readonly actions?: cloudwatch.IAlarmAction[];
}

const PERIOD = Duration.minutes(5);

/** One failed load is repeated by the next cold run. */
const FAILING_PERIODS = 2;

const TIMED_OUT = 'runs take longer than they may';

/** One slow period is normal after a deployment, because all functions start cold. */
const SLOW_PERIODS = 2;

/**
 * CloudWatch alarms for runs that fail, that time out or that Step Functions throttles, and for slow runs if `maxTime`
 * is set. A pipeline with consolidation also has one for calls of the whole model that fail in two periods of five minutes in a row. Of
 * these, only invalid requests fail their runs. A failed slice fails its run after the retries, so the number of alarms does not depend on the number of
 * slices. An alarm costs $0.10 a month.
 *
 * @example
 * new SlicedInferenceAlarms(stack, 'Alarms', {
 *   pipeline,
 *   maxTime: Duration.seconds(10),
 *   actions: [new SnsAction(topic)],
 * });
 */
export class SlicedInferenceAlarms extends Construct {
  /**
   * The alarms: `Failed`, `TimedOut` of a pipeline and `Throttled`, `WholeFails` if the pipeline has consolidation, `Slow` if `maxTime` is
   * set, and `BatchFailed0` and `BatchTimedOut0` of the first batch, with `maxFailedItems` also `BatchItems0`, and so on.
   */
  public readonly alarms: cloudwatch.Alarm[];

  public constructor(scope: Construct, id: string, props: SlicedInferenceAlarmsProps) {
    super(scope, id);
    const { batches = [], maxFailedRuns = 1, maxFailedItems, maxTime, actions = [] } = props;
    const pipeline = inConstruct(this, () => given(props.pipeline, 'pipeline'));
    for (const [name, value] of Object.entries({ maxFailedRuns, maxFailedItems: maxFailedItems ?? 1 })) {
      if (Token.isUnresolved(value) || (Number.isInteger(value) && value >= 1)) continue;
      throw new SlicedInferenceError(
        `${name} must be a whole number of 1 or more`,
        String(value),
        'set the number of failures that sets off the alarm',
      ).at(this.node.path);
    }
    const { failed, timedOut, throttled, time } = pipeline._runs;
    const wholeFunction = pipeline instanceof SlicedInferencePipeline ? pipeline.wholeFunction : undefined;
    const period = { period: PERIOD };
    const of = `${pipeline.node.path}:`;
    this.alarms = [
      this.alarm('Failed', failed(period), maxFailedRuns, `${of} runs fail`),
      ...(timedOut ? [this.alarm('TimedOut', timedOut(period), 1, `${of} ${TIMED_OUT}`)] : []),
      this.alarm(
        'Throttled',
        throttled(period),
        1,
        timedOut
          ? `${of} Step Functions has no capacity for the states of runs`
          : `${of} Lambda has no capacity for calls`,
      ),
    ];
    if (wholeFunction) {
      // The slices serve the runs of these calls, so nothing else shows that the function does not serve. Its errors also count
      // invalid requests.
      const event = `${of} calls of the whole model fail: the slices serve the runs, unless their requests are invalid`;
      const options = { evaluationPeriods: FAILING_PERIODS };
      this.alarms.push(this.alarm('WholeFails', wholeFunction.metricErrors(period), 1, event, options));
    }
    if (maxTime) {
      const metric = time({ ...period, statistic: 'p95' });
      const milliseconds = inConstruct(this, () => knownAtSynth(maxTime, 'maxTime')).toMilliseconds();
      if (milliseconds === 0)
        throw new SlicedInferenceError('maxTime must be more than 0', '0', 'raise it').at(this.node.path);
      const event = `${of} 5 of 100 runs take longer than ${maxTime.toHumanString()}`;
      const options = {
        evaluationPeriods: SLOW_PERIODS,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      };
      this.alarms.push(this.alarm('Slow', metric, milliseconds, event, options));
    }
    for (const [index, batch] of batches.entries()) {
      const { node, stateMachine: own } = batch;
      this.alarms.push(
        this.alarm(`BatchFailed${index}`, own.metricFailed(period), 1, `${node.path}: a batch fails`),
        this.alarm(`BatchTimedOut${index}`, own.metricTimedOut(period), 1, `${node.path}: a batch times out`),
      );
      if (maxFailedItems === undefined) continue;
      const items = batch.metricFailedItems(period);
      this.alarms.push(this.alarm(`BatchItems${index}`, items, maxFailedItems, `${node.path}: items fail`));
    }
    for (const action of actions) this.addAlarmAction(action);
  }

  /**
   * Adds an action to all alarms. It runs when an alarm goes off and when the alarm returns to OK.
   *
   * @param action the action, for example an `SnsAction`
   * @example
   * alarms.addAlarmAction(new SnsAction(topic));
   */
  public addAlarmAction(action: cloudwatch.IAlarmAction): void {
    for (const alarm of this.alarms) {
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
    }
  }

  private alarm(
    id: string,
    metric: cloudwatch.IMetric,
    threshold: number,
    alarmDescription: string,
    options: Partial<cloudwatch.AlarmProps> = {},
  ): cloudwatch.Alarm {
    return new cloudwatch.Alarm(this, id, {
      ...{ metric, threshold, alarmDescription, evaluationPeriods: 1 },
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      ...options,
    });
  }
}
