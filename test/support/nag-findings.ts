/** The findings of cdk-nag's packs that remain in our stacks, each with the reason. */
import type { AwsSolutionsChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';

interface Acknowledged {
  /** The path of a resource below its pipeline, and a rule without the name of the pack. */
  readonly finding: RegExp;
  readonly reason: string;
}

/** Findings of AwsSolutions. */
export const ACKNOWLEDGED: readonly Acknowledged[] = [
  {
    finding: /^Bucket\/Resource S1$/,
    reason:
      'Objects are in transit and expire within seven days. Only the roles of this stack and the principals of grantInvoke ' +
      'read and write them. Users who must log accesses pass their own bucket with access logs.',
  },
  {
    finding: /^(slice-\d+|whole)\/Role\/Policy\d*\/Resource IAM5\[Resource::.*\/inputs\/\*\]$/,
    reason:
      'Callers choose the keys of their requests. The permission is to read below inputs/, and only slices that read requests have it.',
  },
  {
    finding:
      /^(slice-\d+|whole)\/Role\/Policy\d*\/Resource IAM5\[Resource::.*\/runs\/\*\/slice-\d+\.safetensors\]$/,
    reason:
      "The run is a part of the key and is not known at deployment. The permission covers one slice's object of each run, " +
      "below runs/ in the pipeline's own bucket, where objects expire after a day.",
  },
  {
    finding: /^(slice-\d+|whole)\/Role\/Policy\d*\/Resource IAM5\[Resource::.*\/outputs\/\*\.safetensors\]$/,
    reason:
      'The key of a result contains the run. Only the last slice writes results, and it reads one only if an earlier ' +
      'attempt of the same run wrote it.',
  },
  {
    finding: /^(StateMachine)?Role\/Calls\d*\/Resource IAM5\[Resource::<\w+\.Arn>:\*\]$/,
    reason:
      'A run that is in progress during a deployment keeps calling the version that it started with. All versions of the ' +
      "function contain this pipeline's own code, and only a deployment of it publishes them.",
  },
  {
    finding: /^(Role\/(Default)?Policy|StateMachineRole\/DefaultPolicy)\/Resource IAM5\[Resource::\*\]$/,
    reason:
      'The log delivery actions of Step Functions and the actions of X-Ray support no resource-level permissions: ' +
      'https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy and ' +
      'https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html',
  },
  {
    finding: /^SlicePolicy\/Resource IAM5\[Resource::\*\]$/,
    reason:
      'The actions of X-Ray and, if the functions are in a VPC, those with which Lambda creates and deletes network interfaces ' +
      'support no resource-level permissions: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html ' +
      'and https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions',
  },
  {
    finding: /^(Role\/Policy|StateMachineRole\/Calls)\d*\/Resource IAM5\[Resource::<\w+\.Arn>\/.+\/\*\]$/,
    reason:
      'A batch does not know the keys of its items and results at deployment. Its state machine reads the place of the items and writes the ' +
      'files of map runs; its function reads requests, if it must, and writes below the prefix of the batch.',
  },
  {
    finding: /^StateMachine\/DistributedMapPolicy\/Resource IAM5\[Resource::.*:execution:/,
    reason:
      'CDK allows the state machine of a batch to follow, stop and redrive its own executions, whose names are not known.',
  },
  {
    finding: /^StateMachine\/Resource SF1$/,
    reason:
      'Errors are logged, X-Ray traces every task, and the output of an execution has the timings of all slices. ' +
      'Level ALL would add only an event for every state of every request.',
  },
];

/** @param rule without the name of the pack */
export function reasonFor(path: string, rule: string): string | undefined {
  return ACKNOWLEDGED.find(({ finding }) => finding.test(`${path} ${rule}`))?.reason;
}

const IN_TRANSIT =
  'Requests, intermediate tensors and results are in transit and can be computed again. They expire within seven days. ' +
  'Copies and old versions of them would keep data for longer than needed.';

/** Findings of the NIST and HIPAA packs in a stack for a hardened account, by rule without the name of the pack. */
export const HARDENED_REASONS: Readonly<Partial<Record<string, string>>> = {
  S3BucketReplicationEnabled: IN_TRANSIT,
  S3BucketVersioningEnabled: IN_TRANSIT,
  S3BucketLoggingEnabled:
    'Only the roles of this stack and the principals of grantInvoke read and write objects. Users who must log accesses ' +
    'pass their own bucket with access logs.',
  IAMNoInlinePolicy:
    'Each policy belongs to one role and is deleted with it. A managed policy for each slice would take most of those ' +
    'that an account may have.',
  LambdaDLQ:
    'The state machine calls the functions synchronously, and retries and reports failures. A dead-letter queue receives ' +
    'only asynchronous calls.',
};

interface NagFinding {
  /** Of the resource, from the root of the construct tree. */
  readonly path: string;
  readonly rule: string;
}

export function nagFindings(
  pack: Pick<AwsSolutionsChecks, 'validateScope'>,
  scope: IConstruct,
): NagFinding[] {
  return pack
    .validateScope(scope)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath = '' }) => ({ path: constructPath, rule: ruleName })),
    );
}
