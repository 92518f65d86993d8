/** A pipeline in an app: its place, and resources of other stacks, regions and partitions. */
import * as path from 'node:path';
import { DefaultStackSynthesizer, Stack, Stage, type DefaultStackSynthesizerProps } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import {
  SlicedInferenceAlarms,
  SlicedInferenceDashboard,
  SlicedInferencePipeline,
  SlicedModel,
  Slicing,
} from '../../../lib';
import { compile } from '../../../lib/compile/compile';
import { readPlan } from '../../../lib/compile/files/read-plan';
import { count } from '../../../lib/plan/slicers';
import {
  MLP_PATH,
  addPipeline,
  errorOf,
  newApp,
  newStack,
  shortTemplate,
} from '../../support/pipeline-stack';
import { writtenPlan } from '../../support/written-plan';

const two = { slicing: Slicing.count(2) };
const { file } = writtenPlan(compile(MLP_PATH, count(2), { dimensions: { batch: 1 } }));
const callerIn = (stack: Stack): iam.Role =>
  new iam.Role(stack, 'Caller', { assumedBy: new iam.AccountRootPrincipal() });

test('a pipeline in a stage writes its plan into the assembly of the app', () => {
  const app = newApp();
  const stage = new Stage(app, 'Prod', { env: { account: '111111111111', region: 'eu-west-1' } });
  const pipeline = addPipeline(new Stack(stage, 'Stack'), 'Pipeline', two);
  app.synth({ force: true });
  expect(path.dirname(pipeline.planPath)).toBe(app.outdir);
  expect(readPlan(pipeline.planPath).slices).toHaveLength(2);
});

test('further pipelines in the stack share nothing with the first, and do not change it', () => {
  const [alone, together] = [newStack(), newStack()];
  addPipeline(alone, 'One', two);
  for (const id of ['Zero', 'One', 'Two']) addPipeline(together, id, two);
  const resources = (stack: Stack) => Template.fromStack(stack).toJSON().Resources as Record<string, unknown>;
  expect(resources(together)).toMatchObject(resources(alone));
  expect(Object.keys(resources(together))).toHaveLength(3 * Object.keys(resources(alone)).length);
});

test('bucket, key and model can be resources of other stacks, and a pipeline can be watched from another one', () => {
  const app = newApp();
  const shared = new Stack(app, 'Shared');
  const encryptionKey = new kms.Key(shared, 'Key');
  const bucket = new s3.Bucket(shared, 'Bucket', { encryption: s3.BucketEncryption.KMS, encryptionKey });
  const stack = new Stack(app, 'Stack');
  const slicedModel = SlicedModel.fromBucket(new s3.Bucket(shared, 'Models'), 'mlp', file);
  const pipeline = new SlicedInferencePipeline(stack, 'Pipeline', { slicedModel, bucket });
  const watching = new Stack(app, 'Watching');
  new SlicedInferenceAlarms(watching, 'Alarms', { pipeline });
  new SlicedInferenceDashboard(watching, 'Dashboard', { pipelines: [pipeline] });
  const policies = (type: string): string =>
    JSON.stringify(Template.fromStack(stack).findResources(`AWS::IAM::${type}`));
  expect(policies('Policy')).toContain('Shared:ExportsOutputFnGetAttModels');
  expect(policies('ManagedPolicy')).toContain('Shared:ExportsOutputFnGetAttKey');
  Template.fromStack(watching).resourceCountIs('AWS::CloudWatch::Alarm', 3);
  Template.fromStack(watching).resourceCountIs('AWS::CloudWatch::Dashboard', 1);
});

test.each<[string, DefaultStackSynthesizerProps]>([
  ['cdk-mine-assets-{AWS::AccountId}-{AWS::Region}', { qualifier: 'mine' }],
  ['own/models', { fileAssetsBucketName: 'own', bucketPrefix: 'models/' }],
])('slices are in the bootstrap bucket of the synthesizer: %s', (place, props) => {
  const stack = new Stack(newApp(), 'Stack', { synthesizer: new DefaultStackSynthesizer(props) });
  addPipeline(stack, 'Pipeline');
  expect(shortTemplate(stack).resource('Pipeline/slice-00/Function')).toMatchObject({
    Environment: { Variables: { SLICE_MODEL_URI: `s3://${place}/<sha256>.onnx` } },
  });
});

test('a stack in another partition has no ARN of the partition aws', () => {
  const stack = new Stack(newApp(), 'Stack', { env: { account: '111122223333', region: 'cn-north-1' } });
  const logEncryptionKey = new kms.Key(stack, 'Key');
  const vpc = new ec2.Vpc(stack, 'Vpc');
  addPipeline(stack, 'Pipeline', { ...two, vpc, logEncryptionKey }).grantInvoke(callerIn(stack));
  const text = JSON.stringify(Template.fromStack(stack).toJSON());
  expect(text).toContain('AWS::Partition');
  expect(text).not.toContain('arn:aws:');
});

test.each(['model', 'bucket'])(
  'the bucket of the %s must be in the region of the stack, if both are known',
  (own) => {
    const deploy = (region: string, stackRegion?: string): SlicedInferencePipeline => {
      const env = { account: '111122223333', ...(stackRegion !== undefined && { region: stackRegion }) };
      const stack = new Stack(newApp(), 'Regional', { env });
      const bucket = s3.Bucket.fromBucketAttributes(stack, 'Models', { bucketName: 'my-models', region });
      const slicedModel = SlicedModel.fromBucket(bucket, 'ocr', file);
      const props = own === 'bucket' ? { modelPath: MLP_PATH, bucket } : { slicedModel };
      return new SlicedInferencePipeline(stack, 'Pipeline', props);
    };
    expect(errorOf(() => deploy('eu-west-1', 'us-east-1'))).toContain(
      'must be in the region of the stack, us-east-1, got eu-west-1',
    );
    deploy('us-east-1', 'us-east-1');
    deploy('eu-west-1');
  },
);
