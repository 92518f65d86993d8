/** A pipeline in an app: its place, its construct ids, and resources of other stacks, regions and partitions. */
import * as path from 'node:path';
import {
  CfnResource,
  DefaultStackSynthesizer,
  NestedStack,
  Stack,
  Stage,
  type DefaultStackSynthesizerProps,
} from 'aws-cdk-lib';
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
  pipelineStack,
  shortTemplate,
} from '../../support/pipeline-stack';
import { writtenPlan } from '../../support/written-plan';

const two = { slicing: Slicing.count(2) };
const { file, folder } = writtenPlan(compile(MLP_PATH, count(2), { dimensions: { batch: 1 } }));
const callerIn = (stack: Stack): iam.Role =>
  new iam.Role(stack, 'Caller', { assumedBy: new iam.AccountRootPrincipal() });

test('the construct ids of the resources are stable', () => {
  const { pipeline } = pipelineStack(two);
  const ids = pipeline.node
    .findAll()
    .filter((construct) => CfnResource.isCfnResource(construct))
    .map(({ node }) => node.path.replace('Stack/Pipeline/', ''));
  const slices = ['Role', 'Role/Policy', 'Function', 'Function/CurrentVersion'];
  // A change of these ids replaces resources of deployed stacks, so it is a breaking change.
  expect(ids.map((id) => id.replace(/\/Resource$/, ''))).toEqual([
    ...['Bucket', 'Bucket/Policy', 'SliceLogs'],
    ...['slice-00', 'slice-01'].flatMap((slice) => slices.map((id) => `${slice}/${id}`)),
    ...['SlicePolicy', 'Role', 'Role/Calls', 'Role/DefaultPolicy', 'Logs', 'StateMachine'],
  ]);
});

test('a pipeline needs no prop but modelPath, which may be relative to the working directory', () => {
  const modelPath = path.relative(process.cwd(), MLP_PATH);
  expect(path.isAbsolute(modelPath)).toBe(false);
  const { stateMachine, bucket, functions } = new SlicedInferencePipeline(newStack(), 'Ocr', { modelPath });
  expect([stateMachine, bucket, ...functions].map(({ node }) => node.path)).toEqual(
    ['StateMachine', 'Bucket', 'slice-00/Function'].map((id) => `Stack/Ocr/${id}`),
  );
});

test('a pipeline in a nested stack has its functions in the nested stack', () => {
  const stack = newStack();
  const nested = new NestedStack(stack, 'Nested');
  addPipeline(nested, 'Pipeline', two).grantInvoke(callerIn(stack));
  Template.fromStack(nested).resourceCountIs('AWS::Lambda::Function', 2);
  Template.fromStack(stack).resourceCountIs('AWS::Lambda::Function', 0);
});

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

test.each(['us-gov-west-1', 'cn-north-1', 'eusc-de-east-1'])(
  'a stack in %s has no ARN of the partition aws',
  (region) => {
    const stack = new Stack(newApp(), 'Stack', { env: { account: '111122223333', region } });
    const logEncryptionKey = new kms.Key(stack, 'Key');
    const pipeline = addPipeline(stack, 'Pipeline', {
      ...two,
      vpc: new ec2.Vpc(stack, 'Vpc'),
      logEncryptionKey,
    });
    pipeline.grantInvoke(callerIn(stack));
    const text = JSON.stringify(Template.fromStack(stack).toJSON());
    expect(text).toContain('AWS::Partition');
    expect(text).not.toContain('arn:aws:');
  },
);

describe('a bucket', () => {
  const OWN = 'us-east-1';
  const differs = `must be in the region of the stack, ${OWN}, got eu-west-1`;

  const ways = {
    'the bucket of a sliced model': (bucket: s3.IBucket) => SlicedModel.fromBucket(bucket, 'ocr', file),
    bucket: () => SlicedModel.fromDirectory(folder),
  };

  function deploy(way: keyof typeof ways, region?: string, stackRegion?: string): void {
    const env = { account: '111122223333', region: stackRegion ?? '' };
    const stack = new Stack(newApp(), 'Regional', stackRegion === undefined ? {} : { env });
    const own = { bucketName: 'my-models', ...(region !== undefined && { region }) };
    const bucket = s3.Bucket.fromBucketAttributes(stack, 'Models', own);
    const props = { slicedModel: ways[way](bucket), ...(way === 'bucket' && { bucket }) };
    new SlicedInferencePipeline(stack, 'Pipeline', props);
  }

  test.each(Object.keys(ways) as (keyof typeof ways)[])('as %s must be in the region of the stack', (way) => {
    expect(
      errorOf(() => {
        deploy(way, 'eu-west-1', OWN);
      }),
    ).toContain(`${way} ${differs}`);
    deploy(way, OWN, OWN);
    deploy(way, undefined, OWN);
    // The region of the stack is known only at deployment.
    deploy(way, 'eu-west-1');
  });
});
