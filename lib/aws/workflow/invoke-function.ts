/**
 * The state that calls a function. Unlike CDK's `LambdaInvoke` it also grants calls of a function's other versions,
 * which runs in progress during a deployment need.
 */
import { Aws, Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { DATA_FAULTS, DATA_RETRIES, SANDBOX_FAULTS, SANDBOX_RETRIES } from '../../../contract/failures';

export interface TaskFunction {
  readonly target: lambda.IFunction;
  readonly grantedArns: readonly string[];
  /** Of a function of a whole model that also runs a function of the user: what a batch asks it for. */
  readonly step?: 'preprocess' | 'postprocess';
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
  readonly payload: string | Readonly<Record<string, unknown>>;
  readonly assign?: Readonly<Record<string, unknown>>;
  readonly outputs: unknown;
  readonly grantsCall: boolean;
  readonly isAsynchronous?: boolean;
  /** A text is JSONata of the seconds. */
  readonly timeout?: Duration | string;
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
      ...(timeout instanceof Duration && { taskTimeout: sfn.Timeout.duration(timeout) }),
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
      ...(typeof this.props.timeout === 'string' && { TimeoutSeconds: this.props.timeout }),
    };
  }
}

/** Faults of the Lambda service: https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html. */
export const SERVICE_FAULTS = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.TooManyRequestsException',
];

/**
 * Lambda deactivates functions that have not been called for weeks, and takes time to attach functions to a VPC. Until
 * the function is active again, calls fail for a minute or two.
 * https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
 */
const INACTIVE_FUNCTION_FAULTS = [
  'Lambda.ResourceConflictException',
  'Lambda.ResourceNotReadyException',
  'Lambda.CodeArtifactUserPendingException',
  'Lambda.ENILimitReachedException',
  'Lambda.EC2ThrottledException',
  'Lambda.EC2UnexpectedException',
  'Lambda.SubnetIPAddressLimitReachedException',
];

const jitterStrategy = sfn.JitterType.FULL;

/**
 * Waits at most 191 seconds while the Lambda service is busy or unavailable, and 95 on average. The wait is random, so
 * that runs do not retry at the same moment; one of 50,000 waits less than 30 seconds.
 */
export const SERVICE_RETRY: sfn.RetryProps = {
  errors: SERVICE_FAULTS,
  interval: Duration.seconds(1),
  backoffRate: 2,
  maxAttempts: 13,
  maxDelay: Duration.seconds(20),
  jitterStrategy,
};

/** Waits about two and a half minutes until the function is active. */
const INACTIVE_FUNCTION_RETRY: sfn.RetryProps = {
  errors: INACTIVE_FUNCTION_FAULTS,
  interval: Duration.seconds(5),
  backoffRate: 1.5,
  maxAttempts: 8,
  maxDelay: Duration.seconds(30),
};

export const SANDBOX_RETRY: sfn.RetryProps = {
  errors: [...SANDBOX_FAULTS],
  interval: Duration.seconds(1),
  backoffRate: 2,
  maxAttempts: SANDBOX_RETRIES,
  jitterStrategy,
};

/** The function that writes the table of a batch begins anew after each of its deaths. */
export const TABLE_RETRY: sfn.RetryProps = { ...SANDBOX_RETRY, maxAttempts: 6 };

const SLICE_RETRY: sfn.RetryProps = {
  errors: [...DATA_FAULTS],
  interval: Duration.seconds(1),
  maxAttempts: DATA_RETRIES,
  jitterStrategy,
};

export const CALL_RETRIES: readonly sfn.RetryProps[] = [
  SERVICE_RETRY,
  INACTIVE_FUNCTION_RETRY,
  SANDBOX_RETRY,
];

/**
 * Of a batch, whose child has five minutes: a call that takes all the time of a function would take it again. While the Lambda service is
 * busy, a call waits at most 71 seconds, and then the pack waits behind the others.
 */
export const PACK_RETRIES: readonly sfn.RetryProps[] = [
  { ...SERVICE_RETRY, maxAttempts: 7 },
  INACTIVE_FUNCTION_RETRY,
  { ...SANDBOX_RETRY, errors: SANDBOX_FAULTS.filter((name) => name !== 'Sandbox.Timedout') },
  SLICE_RETRY,
];

export const SLICE_RETRIES: readonly sfn.RetryProps[] = [...CALL_RETRIES, SLICE_RETRY];
