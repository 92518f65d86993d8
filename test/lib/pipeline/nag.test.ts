/** The findings of cdk-nag's AwsSolutions, NIST and HIPAA packs that remain: each has a reason, and each reason a finding. */
import type { Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks } from 'cdk-nag';
import { BatchItems, SlicedInferenceBatch, Slicing, type SlicedInferencePipelineProps } from '../../../lib';
import { ACKNOWLEDGED, HARDENED_REASONS, nagFindings, reasonFor } from '../../support/nag-findings';
import { addPipeline, newStack } from '../../support/pipeline-stack';

function stackWith(build: (stack: Stack) => Partial<SlicedInferencePipelineProps>): Stack {
  const stack = newStack({ '@aws-cdk/core:validateAgainstDefaultRules': true });
  const pipeline = addPipeline(stack, 'Pipeline', build(stack));
  new SlicedInferenceBatch(stack, 'Batch', { pipeline, items: BatchItems.objects('inputs/docs/') });
  return stack;
}

interface Finding {
  /** Below the pipeline or the batch. */
  readonly path: string;
  /** Without the name of the pack. */
  readonly rule: string;
}

function findings(pack: Parameters<typeof nagFindings>[0], stack: Stack): Finding[] {
  return nagFindings(pack, stack).flatMap(({ path, rule: id }) => {
    const own = /^Stack\/(?:Pipeline|Batch)\/(.*)$/.exec(path)?.[1];
    return own === undefined ? [] : [{ path: own, rule: id.replace(/^[\w.]+-/, '') }];
  });
}

test.each(Object.values(sfn.StateMachineType))(
  'AwsSolutions finds exactly what the list has a reason for in a pipeline of type %s',
  (stateMachineType) => {
    const found = findings(
      new AwsSolutionsChecks(),
      stackWith(() => ({ slicing: Slicing.count(3), stateMachineType })),
    );
    expect(found.filter(({ path, rule }) => reasonFor(path, rule) === undefined)).toEqual([]);
    const reasons = new Set(found.map(({ path, rule }) => reasonFor(path, rule)));
    expect(reasons).toEqual(new Set(ACKNOWLEDGED.map(({ reason }) => reason)));
  },
);

test('with the props of a hardened account, NIST and HIPAA find exactly what the list has a reason for', () => {
  const stack = stackWith((scope) => {
    const key = new kms.Key(scope, 'Key', { enableKeyRotation: true });
    const vpc = new ec2.Vpc(scope, 'Vpc', {
      natGateways: 0,
      subnetConfiguration: [{ name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
      gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
    });
    return {
      slicing: Slicing.count(2),
      encryptionKey: key,
      logEncryptionKey: key,
      vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      sliceFunctions: { reservedConcurrentExecutions: 20 },
    };
  });
  for (const pack of [new NIST80053R5Checks(), new HIPAASecurityChecks()]) {
    const rules = new Set(findings(pack, stack).map(({ rule }) => rule));
    expect([...rules].sort()).toEqual(Object.keys(HARDENED_REASONS).sort());
  }
});
