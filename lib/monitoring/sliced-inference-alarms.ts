/** The alarms that a pipeline in production should have. */
import { Duration, Token } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { SlicedInferenceError } from '../errors';
import { knownAtSynth } from '../pipeline/known-at-synth';
import type { SlicedInferencePipeline } from '../pipeline/sliced-inference-pipeline';

/** Properties of `SlicedInferenceAlarms`. */
export interface SlicedInferenceAlarmsProps {
  /** The pipeline to watch. */
  readonly pipeline: SlicedInferencePipeline;

  /**
   * How many failed runs in five minutes are too many. Runs for an invalid request count too.
   *
   * @default 1
   */
  readonly maxFailedRuns?: number;

  /**
   * How long 95 of 100 runs may take.
   *
   * @default - no alarm for slow runs
   */
  readonly maxTime?: Duration;

  /**
   * What happens when one of the alarms goes off, and when it ends.
   *
   * @default - nothing: add actions with `addAlarmAction`
   */
  readonly actions?: cloudwatch.IAlarmAction[];
}

const PERIOD = Duration.minutes(5);

/** Two periods in a row: a deployment makes a few runs slow, since all functions start cold. */
const SLOW_PERIODS = 2;

/**
 * Alarms for runs that fail, that time out, that find no capacity in Step Functions, and, where a limit is given, that
 * are slow. What goes wrong in a slice shows as a failed run once it has been tried again; so there are as many alarms
 * for a hundred slices as for one. An alarm costs $0.10 a month.
 */
export class SlicedInferenceAlarms extends Construct {
  /** The alarms. */
  public readonly alarms: cloudwatch.Alarm[];

  public constructor(scope: Construct, id: string, props: SlicedInferenceAlarmsProps) {
    super(scope, id);
    const { pipeline, maxFailedRuns = 1, maxTime, actions = [] } = props;
    if (!Token.isUnresolved(maxFailedRuns) && (!Number.isInteger(maxFailedRuns) || maxFailedRuns < 1)) {
      throw new SlicedInferenceError(
        'maxFailedRuns must be a whole number of 1 or more',
        String(maxFailedRuns),
        'give the number from which on it is an alarm',
      );
    }
    const name = pipeline.node.path;
    const count = (
      alarmId: string,
      metric: cloudwatch.Metric,
      threshold: number,
      what: string,
    ): cloudwatch.Alarm =>
      new cloudwatch.Alarm(this, alarmId, {
        metric,
        threshold,
        evaluationPeriods: 1,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
        alarmDescription: `${name}: ${what}`,
      });
    this.alarms = [
      count('Failed', pipeline.metricFailed({ period: PERIOD }), maxFailedRuns, 'runs fail'),
      count('TimedOut', pipeline.metricTimedOut({ period: PERIOD }), 1, 'runs take longer than they may'),
      count(
        'Throttled',
        pipeline.stateMachine.metricThrottled({ period: PERIOD }),
        1,
        'Step Functions has no capacity for the states of runs',
      ),
      ...(maxTime ? [this.slowAlarm(pipeline, maxTime)] : []),
    ];
    for (const action of actions) this.addAlarmAction(action);
  }

  /**
   * Adds an action to all alarms: for when one goes off, and for when it ends.
   *
   * @param action such as a `SnsAction`
   */
  public addAlarmAction(action: cloudwatch.IAlarmAction): void {
    for (const alarm of this.alarms) {
      alarm.addAlarmAction(action);
      alarm.addOkAction(action);
    }
  }

  private slowAlarm(pipeline: SlicedInferencePipeline, maxTime: Duration): cloudwatch.Alarm {
    return new cloudwatch.Alarm(this, 'Slow', {
      metric: pipeline.metricTime({ period: PERIOD, statistic: 'p95' }),
      threshold: knownAtSynth(maxTime, 'maxTime').toMilliseconds(),
      evaluationPeriods: SLOW_PERIODS,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      alarmDescription: `${pipeline.node.path}: 5 of 100 runs take longer than ${maxTime.toHumanString()}`,
    });
  }
}
