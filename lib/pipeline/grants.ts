/** The permissions that a pipeline grants to its callers, to writers of requests and to readers of results. */
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { INPUTS_PREFIX, OUTPUTS_PREFIX } from '../../contract/keys';
import { keyUseStatement } from '../aws/key';

export function grantReader(bucket: s3.IBucket, grantee: iam.IGrantable): iam.Grant {
  return readOutputs(bucket, grantee).combine(useKey(bucket, grantee, ['kms:Decrypt']));
}

/** S3 reads nothing with the key, because such an object has one part. */
export function grantWriter(bucket: s3.IBucket, grantee: iam.IGrantable): iam.Grant {
  return writeInputs(bucket, grantee).combine(useKey(bucket, grantee, ['kms:GenerateDataKey']));
}

export function grantCaller(
  stateMachine: sfn.StateMachine,
  isExpress: boolean,
  bucket: s3.IBucket,
  grantee: iam.IGrantable,
): iam.Grant {
  const start = iam.Grant.addToPrincipal({
    grantee,
    // CDK's own grantStartExecution omits StartSyncExecution of Express state machines. Callers need DescribeStateMachine
    // because the definition holds the bucket for their requests.
    actions: [
      'states:StartExecution',
      ...(isExpress ? ['states:StartSyncExecution'] : []),
      'states:DescribeStateMachine',
    ],
    resourceArns: [stateMachine.stateMachineArn],
  });
  // A client polls, reports the states, and stops an execution for which its caller no longer waits.
  const followed = ['states:DescribeExecution', 'states:GetExecutionHistory', 'states:StopExecution'];
  const grants = isExpress ? [] : [stateMachine.grantExecution(grantee, ...followed)];
  return [
    ...grants,
    writeInputs(bucket, grantee),
    readOutputs(bucket, grantee),
    useKey(bucket, grantee, ['kms:Decrypt', 'kms:GenerateDataKey']),
  ].reduce((all, grant) => all.combine(grant), start);
}

function writeInputs(bucket: s3.IBucket, grantee: iam.IGrantable): iam.Grant {
  const resourceArns = [bucket.arnForObjects(`${INPUTS_PREFIX}*`)];
  return iam.Grant.addToPrincipalOrResource({
    grantee,
    actions: ['s3:PutObject'],
    resourceArns,
    resource: bucket,
  });
}

function readOutputs(bucket: s3.IBucket, grantee: iam.IGrantable): iam.Grant {
  const resourceArns = [bucket.arnForObjects(`${OUTPUTS_PREFIX}*`)];
  return iam.Grant.addToPrincipalOrResource({
    grantee,
    actions: ['s3:GetObject'],
    resourceArns,
    resource: bucket,
  });
}

function useKey({ encryptionKey: key }: s3.IBucket, grantee: iam.IGrantable, uses: string[]): iam.Grant {
  if (!key) return iam.Grant.drop(grantee, 'the bucket has no key');
  const statement = keyUseStatement(key, uses);
  return iam.Grant.addToPrincipalOrResource({
    ...{ grantee, actions: statement.actions, resourceArns: statement.resources, resource: key },
    conditions: statement.conditions as Record<string, Record<string, unknown>>,
  });
}
