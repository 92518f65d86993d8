/** The findings of cdk-nag's NIST and HIPAA packs that remain, each with a reason. `validators.test.ts` has those of AwsSolutions. */
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import { HIPAASecurityChecks, NIST80053R5Checks } from 'cdk-nag';
import { Slicing } from '../../../lib';
import { HARDENED_REASONS, nagFindings } from '../../support/nag-findings';
import { addPipeline, newStack } from '../../support/pipeline-stack';

test('with the props of a hardened account, NIST and HIPAA find exactly what the list has a reason for', () => {
  const stack = newStack({ '@aws-cdk/core:validateAgainstDefaultRules': true });
  const key = new kms.Key(stack, 'Key', { enableKeyRotation: true });
  addPipeline(stack, 'Pipeline', {
    slicing: Slicing.count(2),
    encryptionKey: key,
    logEncryptionKey: key,
    vpc: new ec2.Vpc(stack, 'Vpc', {
      natGateways: 0,
      subnetConfiguration: [{ name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
      gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
    }),
    vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    sliceFunctions: { reservedConcurrentExecutions: 20 },
  });
  for (const pack of [new NIST80053R5Checks(), new HIPAASecurityChecks()]) {
    const own = nagFindings(pack, stack).filter(({ path }) => path.startsWith('Stack/Pipeline/'));
    const rules = new Set(own.map(({ rule }) => rule.replace(/^[\w.]+-/, '')));
    expect([...rules].sort()).toEqual(Object.keys(HARDENED_REASONS).sort());
  }
});
