/** The state that calls a function: as CDK's `LambdaInvoke`, but with the rights that a deployment in a run needs. */
import { Aws } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** A function as a state machine calls it. */
export interface CalledFunction {
  /** A version, an alias, or the function itself. */
  readonly target: lambda.IFunction;
  /** What a role that calls it must be allowed to call. */
  readonly grantedArns: readonly string[];
}

/** A version of a function, with the right to call the others, which runs that began before a deployment still call. */
export function publishedVersion(fn: lambda.IFunction, target: lambda.IFunction): CalledFunction {
  return { target, grantedArns: [`${fn.functionArn}:*`] };
}

/** A function of the user's own, called as they give it. */
export function ownFunction(fn: lambda.IFunction): CalledFunction {
  return { target: fn, grantedArns: fn.resourceArnsForGrantInvoke };
}

export interface InvokeFunctionProps {
  readonly fn: CalledFunction;
  /** JSONata. */
  readonly payload: string | Readonly<Record<string, unknown>>;
  readonly assign?: Readonly<Record<string, unknown>>;
  readonly outputs: unknown;
}

export class InvokeFunction extends sfn.TaskStateBase {
  protected readonly taskMetrics = undefined;
  protected readonly taskPolicies: iam.PolicyStatement[];

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: InvokeFunctionProps,
  ) {
    const { assign, outputs } = props;
    super(scope, id, {
      queryLanguage: sfn.QueryLanguage.JSONATA,
      ...(assign && { assign: { ...assign } }),
      outputs,
    });
    this.taskPolicies = [
      new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [...props.fn.grantedArns] }),
    ];
  }

  protected _renderTask(): object {
    return {
      Resource: `arn:${Aws.PARTITION}:states:::lambda:invoke`,
      Arguments: { FunctionName: this.props.fn.target.functionArn, Payload: this.props.payload },
    };
  }
}
