/** A pipeline in nested stacks, stages and partitions, with resources of other stacks, and the size of its template. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import {
  CfnResource,
  NestedStack,
  Stack,
  Stage,
  type DefaultStackSynthesizerProps,
  DefaultStackSynthesizer,
} from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { SlicedModel, Slicing } from '../../../lib';
import { stageModel } from '../../../lib/compile/stage';
import { count } from '../../../lib/plan/slicers';
import {
  MLP_PATH,
  addPipeline,
  newApp,
  newStack,
  pipelineStack,
  shortTemplate,
} from '../../support/pipeline-stack';
import { mlp, saveModel, temporaryFolder } from '../../support/model-builder';
import { readPlan } from '../../../lib/compile/files/read-plan';

test('the construct ids of the resources are stable', () => {
  const { pipeline } = pipelineStack({ slicing: Slicing.count(2) });
  const ids = pipeline.node
    .findAll()
    .filter((construct) => CfnResource.isCfnResource(construct))
    .map(({ node }) => node.path.replace('Stack/Pipeline/', ''));
  // A change of these ids replaces resources of deployed stacks, so it is a breaking change.
  expect(ids).toEqual([
    'Bucket/Resource',
    'Bucket/Policy/Resource',
    'SliceLogs/Resource',
    'slice-00/Role/Resource',
    'slice-00/Role/Policy/Resource',
    'slice-00/Function/Resource',
    'slice-00/Function/CurrentVersion/Resource',
    'slice-01/Role/Resource',
    'slice-01/Role/Policy/Resource',
    'slice-01/Function/Resource',
    'slice-01/Function/CurrentVersion/Resource',
    'SlicePolicy/Resource',
    'Role/Resource',
    'Role/Calls/Resource',
    'Role/DefaultPolicy/Resource',
    'Logs/Resource',
    'StateMachine/Resource',
  ]);
});

test('a pipeline in a nested stack has its functions in the nested stack', () => {
  const stack = newStack();
  const nested = new NestedStack(stack, 'Nested');
  const pipeline = addPipeline(nested, 'Pipeline', { slicing: Slicing.count(2) });
  pipeline.grantInvoke(new iam.Role(stack, 'Caller', { assumedBy: new iam.AccountRootPrincipal() }));
  Template.fromStack(nested).resourceCountIs('AWS::Lambda::Function', 2);
  Template.fromStack(stack).resourceCountIs('AWS::Lambda::Function', 0);
});

test('a pipeline in a stage writes its plan into the assembly of the app', () => {
  const app = newApp();
  const stage = new Stage(app, 'Prod', { env: { account: '111111111111', region: 'eu-west-1' } });
  const pipeline = addPipeline(new Stack(stage, 'Stack'), 'Pipeline', { slicing: Slicing.count(2) });
  app.synth({ force: true });
  expect(path.dirname(pipeline.planPath)).toBe(app.outdir);
  expect(readPlan(pipeline.planPath).slices).toHaveLength(2);
});

test('bucket, key and model can be resources of other stacks', () => {
  const app = newApp();
  const shared = new Stack(app, 'Shared');
  const encryptionKey = new kms.Key(shared, 'Key');
  const bucket = new s3.Bucket(shared, 'Bucket', { encryption: s3.BucketEncryption.KMS, encryptionKey });
  const models = new s3.Bucket(shared, 'Models');
  const plan = path.join(temporaryFolder(), 'plan.json');
  fs.writeFileSync(plan, JSON.stringify(stageModel(MLP_PATH, count(2)).plan));
  const stack = new Stack(app, 'Stack');
  addPipeline(stack, 'Pipeline', {
    modelPath: undefined as never,
    dimensions: undefined as never,
    slicedModel: SlicedModel.fromBucket(models, 'mlp', plan),
    bucket,
  });
  const policies = (type: string): string =>
    JSON.stringify(Template.fromStack(stack).findResources(`AWS::IAM::${type}`));
  expect(policies('Policy')).toContain('Shared:ExportsOutputFnGetAttModels');
  expect(policies('ManagedPolicy')).toContain('Shared:ExportsOutputFnGetAttKey');
});

describe('the bootstrap bucket', () => {
  const functionWith = (props: DefaultStackSynthesizerProps) => {
    const stack = new Stack(newApp(), 'Stack', { synthesizer: new DefaultStackSynthesizer(props) });
    addPipeline(stack, 'Pipeline');
    return shortTemplate(stack).resource('Pipeline/slice-00/Function').Environment as {
      Variables: Record<string, string>;
    };
  };

  test('follows the qualifier, bucket name and prefix of the synthesizer', () => {
    expect(functionWith({ qualifier: 'mine' }).Variables.SLICE_MODEL_URI).toBe(
      's3://cdk-mine-assets-{AWS::AccountId}-{AWS::Region}/<sha256>.onnx',
    );
    const { SLICE_MODEL_URI } = functionWith({
      fileAssetsBucketName: 'own',
      bucketPrefix: 'models/',
    }).Variables;
    expect(SLICE_MODEL_URI).toBe('s3://own/models/<sha256>.onnx');
  });

  test('can have a customer managed key, which the functions may use to decrypt', () => {
    const { resource } = pipelineStack((stack) => ({ assetEncryptionKey: new kms.Key(stack, 'AssetKey') }));
    const { PolicyDocument } = resource('Pipeline/SlicePolicy') as {
      PolicyDocument: { Statement: object[] };
    };
    expect(PolicyDocument.Statement).toContainEqual({
      Sid: 'UseModelKey',
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Condition: { StringLike: { 'kms:ViaService': 's3.*' } },
      Resource: '{AssetKey.Arn}',
    });
  });
});

describe('the size of the template', () => {
  const modelPath = saveModel(mlp(40));
  const KB = 1024;
  const rows = [1, 8, 100].map((slices) => {
    const stack = newStack();
    addPipeline(stack, 'Pipeline', { modelPath, dimensions: { batch: 1 }, slicing: Slicing.count(slices) });
    const { template, resource } = shortTemplate(stack);
    const json = template.toJSON() as { Resources: Record<string, { Type: string; Properties?: object }> };
    const policies = Object.values(json.Resources).filter(({ Type }) => Type.startsWith('AWS::IAM::'));
    return {
      slices,
      resources: Object.keys(json.Resources).length,
      // Without whitespace, as CDK writes templates near the limit.
      template: JSON.stringify(json).length,
      definition: (resource('Pipeline/StateMachine').DefinitionString as string).length,
      policy: Math.max(...policies.map((policy) => JSON.stringify(policy.Properties).length)),
    };
  });

  test('is below the quotas of CloudFormation and Step Functions for up to 100 slices', () => {
    const line = (row: (typeof rows)[0]): string =>
      `${row.slices} slices: ${row.resources} resources, a template of ${Math.round(row.template / KB)} KB, ` +
      `a definition of ${Math.round(row.definition / KB)} KB, policies of at most ${row.policy} characters`;
    // Printed on purpose: the documentation quotes these figures.
    process.stdout.write(`${rows.map(line).join('\n')}\n`);
    for (const { resources, template, definition } of rows) {
      expect(resources).toBeLessThanOrEqual(500);
      expect(template).toBeLessThan(1024 * KB);
      expect(definition).toBeLessThan(1024 * KB);
    }
  });

  test('grows by four resources per slice', () => {
    const [one, eight] = rows;
    expect((eight.resources - one.resources) / 7).toBe(4);
  });
});

test.each(['us-gov-west-1', 'cn-north-1', 'eusc-de-east-1'])(
  'a stack in %s has no ARN of the partition aws',
  (region) => {
    const stack = new Stack(newApp(), 'Stack', { env: { account: '111122223333', region } });
    const pipeline = addPipeline(stack, 'Pipeline', {
      slicing: Slicing.count(2),
      vpc: new ec2.Vpc(stack, 'Vpc'),
      logEncryptionKey: new kms.Key(stack, 'Key'),
    });
    pipeline.grantInvoke(new iam.Role(stack, 'Caller', { assumedBy: new iam.AccountRootPrincipal() }));
    const text = JSON.stringify(Template.fromStack(stack).toJSON());
    expect(text).toContain('AWS::Partition');
    expect(text).not.toContain('arn:aws:');
  },
);
