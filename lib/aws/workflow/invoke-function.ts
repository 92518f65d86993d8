/**
 * The state that calls a function. Unlike CDK's `LambdaInvoke` it also grants calls of a function's other versions,
 * which runs in progress during a deployment need.
 */
import { Aws, type Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

export interface TaskFunction {
  readonly target: lambda.IFunction;
  /** ARNs that the state machine's role is allowed to call. */
  readonly grantedArns: readonly string[];
}

/** Calls one version, and grants calls of all versions: runs that started before a deployment still call older ones. */
export function publishedVersion(fn: lambda.IFunction, target: lambda.IFunction): TaskFunction {
  return { target, grantedArns: [`${fn.functionArn}:*`] };
}

/** A function that the user passes: `preprocess` or `postprocess`. CDK would also grant calls of all its versions. */
export function userFunction(fn: lambda.IFunction): TaskFunction {
  return { target: fn, grantedArns: [fn.functionArn] };
}

export function callStatement(functions: readonly TaskFunction[]): iam.PolicyStatement {
  return new iam.PolicyStatement({
    actions: ['lambda:InvokeFunction'],
    resources: functions.flatMap(({ grantedArns }) => [...grantedArns]),
  });
}

interface InvokeFunctionProps {
  readonly fn: TaskFunction;
  /** A JSONata expression, or an object that may contain such expressions. */
  readonly payload: string | Readonly<Record<string, unknown>>;
  readonly assign?: Readonly<Record<string, unknown>>;
  readonly outputs: unknown;
  /** Whether the task adds the permission to call the function to the state machine's role. */
  readonly grantsCall: boolean;
  /**
   * Whether the state ends as soon as Lambda has queued the call.
   *
   * @default false
   */
  readonly isAsynchronous?: boolean;
  /**
   * After which the task fails with `States.Timeout`.
   *
   * @default - none
   */
  readonly timeout?: Duration;
}

export class InvokeFunction extends sfn.TaskStateBase {
  protected readonly taskMetrics = undefined;
  protected readonly taskPolicies: iam.PolicyStatement[];

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: InvokeFunctionProps,
  ) {
    const { assign, outputs, timeout } = props;
    super(scope, id, {
      queryLanguage: sfn.QueryLanguage.JSONATA,
      ...(assign && { assign: { ...assign } }),
      outputs,
      ...(timeout && { taskTimeout: sfn.Timeout.duration(timeout) }),
    });
    this.taskPolicies = props.grantsCall ? [callStatement([props.fn])] : [];
  }

  protected _renderTask(): object {
    return {
      Resource: `arn:${Aws.PARTITION}:states:::lambda:invoke`,
      Arguments: {
        FunctionName: this.props.fn.target.functionArn,
        ...(this.props.isAsynchronous && { InvocationType: 'Event' }),
        Payload: this.props.payload,
      },
    };
  }
}
