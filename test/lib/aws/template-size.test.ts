/** The size of templates of many slices, as CDK writes them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, CfnResource, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Slicing } from '../../../lib';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { addPipeline } from '../../support/pipeline-stack';

function synthesized(suppressTemplateIndentation: boolean, build: (stack: Stack) => void): string {
  const app = new App({ outdir: temporaryFolder(), analyticsReporting: false });
  build(new Stack(app, 'Production', { suppressTemplateIndentation }));
  return fs.readFileSync(path.join(app.synth().directory, 'Production.template.json'), 'utf8');
}

test('the template of a hundred slices in a VPC and with keys is far below the limits', () => {
  const text = synthesized(true, (stack) => {
    addPipeline(stack, 'Pipeline', {
      modelPath: saveModel(mlp(40)),
      dimensions: { batch: 1 },
      slicing: Slicing.count(100),
      vpc: new ec2.Vpc(stack, 'Vpc'),
      encryptionKey: new kms.Key(stack, 'Key'),
      logEncryptionKey: new kms.Key(stack, 'LogKey'),
      assetEncryptionKey: new kms.Key(stack, 'AssetKey'),
    });
  });
  const template = JSON.parse(text) as { Resources: Record<string, { Type: string; Properties?: object }> };
  expect(text).toBe(JSON.stringify(template));
  expect(Buffer.byteLength(text)).toBeLessThan(660_000);
  // With indentation, as CDK writes it by default.
  expect(Buffer.byteLength(JSON.stringify(template, undefined, 1))).toBeLessThan(870_000);
  const resources = Object.values(template.Resources);
  // Four for each slice.
  expect(resources.length).toBeLessThan(450);
  const machine = resources.find(({ Type }) => Type === 'AWS::StepFunctions::StateMachine');
  expect(JSON.stringify(machine?.Properties).length).toBeLessThan(500_000);
});

test('a template is refused by its bytes as CDK writes them, with the rest of the stack', () => {
  const build = (stack: Stack): void => {
    addPipeline(stack, 'Pipeline');
    for (let index = 0; index < 50; index++) new sns.CfnTopic(stack, `Topic${index}`);
    // With indentation, each element takes eight bytes, and without it two.
    const properties = { Elements: new Array<number>(130_000).fill(1) };
    new CfnResource(stack, 'Large', { type: 'AWS::CloudFormation::WaitConditionHandle', properties });
  };
  expect(() => synthesized(false, build)).toThrow(
    /the template of the stack 'Production' must have at most 1000000 bytes \(https:.*\), got 1\d{6}: set suppressTemplateIndentation on the stack, use fewer slices, or move other resources to another stack/,
  );
  expect(synthesized(true, build).length).toBeLessThan(1e6);
});
