/** The state machine of a pipeline, with its role and log group. */
import { ArnFormat, Duration, Names, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { SIGNATURE_KEY, type PipelineSignature } from '../../contract/signature';
import { CONTRACT_VERSION } from '../../contract/version';
import { sumOf } from '../extremes';
import { MAX_RUN_TENSORS } from '../plan/schedule/state-tensor-limits';
import { MAX_LAMBDA_TIMEOUT_SECONDS } from '../plan/sizes/lambda-quotas';
import { MAX_EXPRESS_MINUTES } from './quotas';
import { type LogSettings, createLogGroup } from './log-group';
import { attachOwnPolicy } from './replaced-policy';
import { stackUuid } from './deployed-plan';
import { callStatement, type TaskFunction } from './workflow/invoke-function';
import type { PipelineStates } from './workflow/states';
import { ownExecution, pipelineWorkflow } from './workflow/workflow';

interface PipelineStateMachineProps {
  readonly workflow: PipelineStates;
  /** The functions of the slices. */
  readonly functions: readonly lambda.Function[];
  readonly bucket: s3.IBucket;
  readonly type: sfn.StateMachineType;
  readonly timeout: Duration | undefined;
  readonly tracing: boolean;
  readonly logLevel: sfn.LogLevel | undefined;
  readonly logs: LogSettings;
}

export function createStateMachine(scope: Construct, props: PipelineStateMachineProps): sfn.StateMachine {
  const { workflow, bucket } = props;
  return new sfn.StateMachine(scope, 'StateMachine', {
    stateMachineType: props.type,
    queryLanguage: sfn.QueryLanguage.JSONATA,
    definitionBody: sfn.DefinitionBody.fromChainable(
      pipelineWorkflow(scope, {
        ...workflow,
        expressions: ownExecution(props.type),
        prefix: '',
        maxVariables: MAX_RUN_TENSORS,
        grantsCalls: false,
        redrivable: props.type === sfn.StateMachineType.STANDARD,
      }),
    ),
    comment: JSON.stringify({ [SIGNATURE_KEY]: signatureOf(workflow, bucket) }),
    role: pipelineRole(scope, workflow),
    timeout: props.timeout ?? defaultTimeout(props.functions, props.type, workflow.whole?.askSeconds),
    tracingEnabled: props.tracing,
    logs: {
      destination: createLogGroup(scope, 'Logs', props.logs, logGroupName(scope)),
      level: props.logLevel ?? sfn.LogLevel.ERROR,
      includeExecutionData: false,
    },
  });
}

export function signatureOf(
  { plan, preprocess, postprocess }: PipelineStates,
  bucket: s3.IBucket,
): PipelineSignature {
  return {
    version: CONTRACT_VERSION,
    deploymentDigest: plan.deploymentDigest,
    threads: plan.threads,
    bucket: bucket.bucketName,
    inputs: plan.inputs,
    outputs: plan.outputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    ...(preprocess && { preprocess: true }),
    ...(postprocess && { postprocess: true }),
  };
}

function defaultTimeout(
  functions: readonly lambda.Function[],
  type: sfn.StateMachineType,
  askSeconds = 0,
): Duration {
  const least = MAX_EXPRESS_MINUTES * 60;
  if (type === sfn.StateMachineType.EXPRESS) return Duration.seconds(least);
  const seconds = functions.map(({ timeout }) =>
    timeout && !timeout.isUnresolved() ? timeout.toSeconds() : MAX_LAMBDA_TIMEOUT_SECONDS,
  );
  return Duration.seconds(Math.max(least, askSeconds + sumOf(seconds)));
}

function pipelineRole(scope: Construct, workflow: PipelineStates): iam.Role {
  const role = stateMachineRole(scope);
  attachOwnPolicy(role, 'Calls', [callStatement(calledFunctions(workflow))]);
  return role;
}

export function calledFunctions(states: PipelineStates): TaskFunction[] {
  const { functions, whole, preprocess, postprocess } = states;
  return [...functions, whole?.fn, preprocess, postprocess].filter((fn) => fn !== undefined);
}

/**
 * Restricts the role to state machines of this account and region. Older releases of CDK do not add these conditions.
 */
export function stateMachineRole(scope: Construct, id = 'Role'): iam.Role {
  const stack = Stack.of(scope);
  const { COLON_RESOURCE_NAME: arnFormat } = ArnFormat;
  const anyMachine = { service: 'states', resource: 'stateMachine', resourceName: '*', arnFormat };
  return new iam.Role(scope, id, {
    assumedBy: new iam.ServicePrincipal('states.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': stack.account },
        ArnLike: { 'aws:SourceArn': stack.formatArn(anyMachine) },
      },
    }),
  });
}

/**
 * Log groups without the prefix `/aws/vendedlogs` are listed in a resource policy of at most 5,120 characters, which a
 * few state machines fill. The stack's UUID is part of the name so that a deleted stack whose log group was retained
 * can be deployed again under the same name.
 */
export function logGroupName(scope: Construct): string {
  const name = Names.uniqueResourceName(scope, { maxLength: 200, separator: '-' });
  return `/aws/vendedlogs/states/${name}-${stackUuid(scope)}`;
}
