/** The size of the template of many slices, as CDK writes it. */
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Slicing } from '../../../lib';
import { mlp, saveModel } from '../../support/model-builder';
import { addPipeline, newApp } from '../../support/pipeline-stack';

test('the template of a hundred slices in a VPC and with keys is far below the limits', () => {
  const stack = new Stack(newApp(), 'Production');
  addPipeline(stack, 'Pipeline', {
    modelPath: saveModel(mlp(40)),
    dimensions: { batch: 1 },
    slicing: Slicing.count(100),
    vpc: new ec2.Vpc(stack, 'Vpc'),
    encryptionKey: new kms.Key(stack, 'Key'),
    logEncryptionKey: new kms.Key(stack, 'LogKey'),
    assetEncryptionKey: new kms.Key(stack, 'AssetKey'),
  });
  const template = Template.fromStack(stack).toJSON() as {
    Resources: Record<string, { Type: string; Properties?: object }>;
  };
  // CDK indents templates by default.
  expect(Buffer.byteLength(JSON.stringify(template, undefined, 1))).toBeLessThan(870_000);
  const resources = Object.values(template.Resources);
  // Four for each slice.
  expect(resources.length).toBeLessThan(450);
  const machine = resources.find(({ Type }) => Type === 'AWS::StepFunctions::StateMachine');
  expect(JSON.stringify(machine?.Properties).length).toBeLessThan(500_000);
});
