/** The permissions that a pipeline grants to its callers, to writers of requests and to readers of results. */
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import {
  type GrantedPermission,
  callerPermissions,
  readerPermissions,
  writerPermissions,
} from '../aws/slice-permissions';

export function grantReader(bucket: s3.IBucket, grantee: iam.IGrantable): iam.Grant {
  return grantPermissions(grantee, readerPermissions(bucket));
}

export function grantWriter(bucket: s3.IBucket, grantee: iam.IGrantable): iam.Grant {
  return grantPermissions(grantee, writerPermissions(bucket));
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
  const objects = grantPermissions(grantee, callerPermissions(bucket));
  return [...grants, objects].reduce((all, grant) => all.combine(grant), start);
}

function grantPermissions(grantee: iam.IGrantable, permissions: readonly GrantedPermission[]): iam.Grant {
  const grants = permissions.map(({ statement: { actions, resources, conditions }, resource }) =>
    iam.Grant.addToPrincipalOrResource({
      grantee,
      actions,
      resourceArns: resources,
      resource,
      conditions: conditions as Record<string, Record<string, unknown>>,
    }),
  );
  return grants.reduce((all, grant) => all.combine(grant));
}
