/** The calls of the roles and functions that a stack grants the use of a pipeline to. */
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { IConstruct } from 'constructs';
import { outputObjectKey, sliceObjectKey } from '../../../contract/keys';
import type { SlicedInferencePipeline } from '../../../lib';
import { callersOf, readerOf } from '../stacks';
import { caller, RUN, type Call, type Values } from './call';
import { keyCalls } from './key-calls';

export function userCalls(
  values: Values,
  pipeline: SlicedInferencePipeline,
  constructs: readonly IConstruct[],
): Call[] {
  const { stateMachine } = pipeline;
  const machine = values.text(stateMachine, stateMachine.stateMachineArn);
  const bucket = values.text(pipeline, pipeline.bucket.bucketArn);
  const isExpress = values.properties(stateMachine).StateMachineType === 'EXPRESS';
  const result = `${bucket}/${outputObjectKey(RUN)}`;
  const request = `${bucket}/inputs/request.safetensors`;
  const withId = (id: string): unknown[] => constructs.filter(({ node }) => node.id === id);
  const callers = withId(callersOf(pipeline.node.id)).flatMap((role) => {
    const call = caller(values, role as iam.IRole);
    return [
      ...call(true, 'states:StartExecution', [machine]),
      ...call(true, 'states:DescribeStateMachine', [machine]),
      ...call(isExpress, 'states:StartSyncExecution', [machine]),
      ...['DescribeExecution', 'GetExecutionHistory', 'StopExecution'].flatMap((action) =>
        call(!isExpress, `states:${action}`, [`${machine.replace(':stateMachine:', ':execution:')}:monday`]),
      ),
      ...call(false, 'states:RedriveExecution', [
        `${machine.replace(':stateMachine:', ':execution:')}:monday`,
      ]),
      ...call(false, 'states:UpdateStateMachine', [machine]),
      ...call(true, 's3:PutObject', [request]),
      ...call(false, 's3:PutObject', [result]),
      ...call(true, 's3:GetObject', [result]),
      ...call(false, 's3:GetObject', [`${bucket}/${sliceObjectKey(RUN, 0)}`]),
      ...keyCalls(values, pipeline, [], call),
    ];
  });
  const readers = withId(readerOf(pipeline.node.id)).flatMap((fn) => {
    const call = caller(values, (fn as lambda.IFunction).role);
    return [
      ...call(true, 's3:GetObject', [result]),
      ...call(false, 's3:PutObject', [request]),
      ...call(false, 'states:StartExecution', [machine]),
    ];
  });
  return [...callers, ...readers];
}
