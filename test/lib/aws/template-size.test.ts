import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Slicing } from '../../../lib';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { addPipeline } from '../../support/pipeline-stack';

const modelPath = saveModel(mlp(100));

/** Synthesizes a pipeline of a hundred slices in a VPC with keys, and returns the template as CDK writes it. */
function synthesized(
  suppressTemplateIndentation: boolean,
  more: (stack: Stack) => void = () => undefined,
): string {
  const app = new App({ outdir: temporaryFolder(), analyticsReporting: false });
  const stack = new Stack(app, 'Production', { suppressTemplateIndentation });
  addPipeline(stack, 'Pipeline', {
    modelPath,
    dimensions: { batch: 1 },
    slicing: Slicing.count(100),
    vpc: new ec2.Vpc(stack, 'Vpc'),
    encryptionKey: new kms.Key(stack, 'Key'),
    logEncryptionKey: new kms.Key(stack, 'LogKey'),
    assetEncryptionKey: new kms.Key(stack, 'AssetKey'),
  });
  more(stack);
  return fs.readFileSync(path.join(app.synth().directory, 'Production.template.json'), 'utf8');
}

/** Adds resources of four kilobytes each. */
function topics(count: number): (stack: Stack) => void {
  return (stack) => {
    for (let index = 0; index < count; index++) {
      new sns.CfnTopic(stack, `Topic${index}`, { displayName: 'x'.repeat(4000) });
    }
  };
}

describe('the template of a hundred slices', () => {
  const more = topics(45);

  it('is far below the limit of CloudFormation in a VPC and with keys', () => {
    const written = synthesized(true, more);
    const template = JSON.parse(written) as { Resources: Record<string, { Type: string }> };
    expect(written).toBe(JSON.stringify(template));
    for (const [id, { Type }] of Object.entries(template.Resources))
      if (Type === 'AWS::SNS::Topic') Reflect.deleteProperty(template.Resources, id);
    expect(Buffer.byteLength(JSON.stringify(template))).toBeLessThan(660_000);
    // With indentation, as CDK writes it by default.
    expect(Buffer.byteLength(JSON.stringify(template, undefined, 1))).toBeLessThan(870_000);
  });

  it('is refused by its bytes as CDK writes them, with the rest of the stack', () => {
    expect(() => synthesized(false, more)).toThrow(
      /the template of the stack 'Production' must have at most 1000000 bytes \(https:.*\), got 10\d{5}: set suppressTemplateIndentation on the stack, use fewer slices, or move other resources to another stack/,
    );
  });
});
