/** Stacks with each feature of the constructs that changes the template, at least once, and feature flags of apps. */
import * as fs from 'node:fs';
import {
  Duration,
  NestedStack,
  RemovalPolicy,
  Stack,
  Stage,
  type App,
  type StackProps,
  aws_ec2 as ec2,
  aws_iam as iam,
  aws_kms as kms,
  aws_lambda as lambda,
  aws_s3 as s3,
  aws_sns as sns,
  aws_stepfunctions as sfn,
} from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import {
  BatchItems,
  Consolidation,
  InferenceFunction,
  SlicedInferenceAlarms,
  SlicedInferenceBatch,
  SlicedInferenceDashboard,
  SlicedModel,
  Slicing,
  TensorStore,
  type SlicedInferenceBatchProps,
  type SlicedInferencePipelineProps,
} from '../../../lib';
import { compile } from '../../../lib/compile/compile';
import { count } from '../../../lib/plan/slicers';
import { lateInput } from '../../support/late-input-model';
import { mlp, saveModel } from '../../support/model-builder';
import { MLP_PATH, addPipeline } from '../../support/pipeline-stack';
import { ensemble, twoTowers } from '../../support/towers';
import { writtenPlan } from '../../support/written-plan';

type Props = Partial<SlicedInferencePipelineProps>;
type Build = (stack: Stack) => void;

const { STANDARD } = sfn.StateMachineType;
const three = { slicing: Slicing.count(3) };
const hundred = () => ({
  ...{ modelPath: saveModel(mlp(40)), dimensions: { batch: 1 }, slicing: Slicing.count(100) },
  sliceMetrics: true,
});
const branches = (graph = twoTowers()) => ({ modelPath: saveModel({ graph }), slicing: Slicing.count(5) });

const pipeline =
  (props: (stack: Stack) => Props): Build =>
  (stack) => {
    addPipeline(stack, 'Pipeline', { ...three, ...props(stack) });
  };

const keyIn = (stack: Stack, id: string): kms.Key => new kms.Key(stack, id, { enableKeyRotation: true });

const keys = (stack: Stack) => ({
  encryptionKey: keyIn(stack, 'Key'),
  logEncryptionKey: keyIn(stack, 'LogKey'),
  assetEncryptionKey: keyIn(stack, 'AssetKey'),
});

function userFunction(stack: Stack, id: string): lambda.Function {
  return new lambda.Function(stack, id, {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = async (event) => event;'),
  });
}

function fragments(stack: Stack): void {
  const own = addPipeline(stack, 'Pipeline', three);
  const machine = (id: string, states: sfn.IChainable, queryLanguage?: sfn.QueryLanguage): void => {
    const definitionBody = sfn.DefinitionBody.fromChainable(states);
    new sfn.StateMachine(stack, id, { definitionBody, ...(queryLanguage && { queryLanguage }) });
  };
  machine('Paths', new sfn.Pass(stack, 'Before').next(own.asFragment(stack, 'First')));
  machine('Jsonata', own.asFragment(stack, 'Second'), sfn.QueryLanguage.JSONATA);
  const third = own.asFragment(stack, 'Third').toSingleState({ stateId: 'Third: all' });
  machine('Caught', third.addCatch(new sfn.Pass(stack, 'Recover')));
}

function modelInBucket(stack: Stack): Props {
  const keyArn = 'arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000';
  const bucket = s3.Bucket.fromBucketAttributes(stack, 'Models', {
    bucketName: 'models-of-the-team',
    encryptionKey: kms.Key.fromKeyArn(stack, 'ModelKey', keyArn),
  });
  const { file } = writtenPlan(compile(MLP_PATH, count(2), { dimensions: { batch: 1 } }));
  const slicedModel = SlicedModel.fromBucket(bucket, 'ocr/v1', file);
  // Without the props that `addPipeline` would set.
  return { slicedModel, modelPath: undefined, dimensions: undefined, slicing: undefined };
}

function monitored(stack: Stack): void {
  const express = addPipeline(stack, 'Express', { ...three, sliceMetrics: true });
  const standard = addPipeline(stack, 'Standard', { ...three, stateMachineType: STANDARD });
  for (const own of [express, standard]) {
    const assumedBy = new iam.AccountRootPrincipal();
    own.grantInvoke(new iam.Role(stack, `Callers of ${own.node.id}`, { assumedBy }));
    own.grantReadOutputs(userFunction(stack, `Reader of ${own.node.id}`));
  }
  new SlicedInferenceAlarms(stack, 'Alarms', {
    pipeline: express,
    maxTime: Duration.seconds(10),
    actions: [new SnsAction(new sns.Topic(stack, 'Topic', { enforceSSL: true }))],
  });
  new SlicedInferenceDashboard(stack, 'Dashboard', { pipelines: [express, standard] });
}

type Items = (stack: Stack) => BatchItems;

const batch =
  (
    items: Items,
    props: (stack: Stack) => Props = () => ({}),
    more: Partial<SlicedInferenceBatchProps> = {},
  ): Build =>
  (stack) => {
    const own = addPipeline(stack, 'Pipeline', { ...three, ...props(stack) });
    const batchProps = { pipeline: own, items: items(stack), ...more };
    const nightly = new SlicedInferenceBatch(stack, 'Nightly', batchProps);
    nightly.grantStart(new iam.Role(stack, 'Starter', { assumedBy: new iam.AccountRootPrincipal() }));
    new SlicedInferenceAlarms(stack, 'Alarms', { pipeline: own, batches: [nightly] });
    new SlicedInferenceDashboard(stack, 'Dashboard', { pipelines: [own], batches: [nightly] });
  };

const listed = (stack: Stack): s3.Bucket =>
  new s3.Bucket(stack, 'Lists', { encryptionKey: keyIn(stack, 'ListKey'), enforceSSL: true });

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html */
const LONGEST_STACK_NAME = 'N'.repeat(128);
const [LONGEST_REGION] = RegionInfo.regions
  .map(({ name }) => name)
  .sort((one, other) => other.length - one.length);

const inStack =
  (build: Build, props?: StackProps) =>
  (app: App): void => {
    build(new Stack(app, 'Stack', props));
  };

/** With it, CDK validates templates. */
export const STRICT = { '@aws-cdk/core:validateAgainstDefaultRules': true };

/** What CDK recommends for new apps. */
export const RECOMMENDED = JSON.parse(
  fs.readFileSync(require.resolve('aws-cdk-lib/recommended-feature-flags.json'), 'utf8'),
) as Record<string, unknown>;

/** By name, how an app is filled. */
export const STACKS: Readonly<Record<string, (app: App) => void>> = {
  'two pipelines with callers and alarms': inStack(monitored),
  'one slice, Standard': inStack(pipeline(() => ({ slicing: Slicing.count(1), stateMachineType: STANDARD }))),
  branches: inStack(pipeline(() => branches())),
  'branches after a slice': inStack(pipeline(() => branches(ensemble(3)))),
  'slices that are not a chain': inStack(pipeline(() => lateInput)),
  'branches, Standard': inStack(pipeline(() => ({ ...branches(), stateMachineType: STANDARD }))),
  'a hundred slices': inStack(pipeline(hundred)),
  'a hundred slices, Standard, longest names': inStack(
    pipeline((stack) => ({
      ...{ ...hundred(), ...keys(stack), stateMachineType: STANDARD },
      consolidation: Consolidation.ALWAYS,
    })),
    { stackName: LONGEST_STACK_NAME, env: { account: '111122223333', region: LONGEST_REGION } },
  ),
  'KMS keys and a VPC': inStack(pipeline((stack) => ({ ...keys(stack), vpc: new ec2.Vpc(stack, 'Vpc') }))),
  'Express One Zone': inStack(
    pipeline(() => ({
      tensorStore: TensorStore.s3ExpressOneZone('use1-az5'),
      intermediateRetention: Duration.days(2),
    })),
  ),
  'a model in a bucket': inStack(pipeline(modelInBucket)),
  'a bucket that is emptied, and provisioned concurrency': inStack(
    pipeline(() => ({
      ...{ removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true },
      sliceFunctions: { environment: { TEAM: 'ocr' }, provisionedConcurrentExecutions: 2 },
      sliceFunctionOverrides: { 'slice-01': { memorySize: 3008, timeout: Duration.minutes(2) } },
    })),
  ),
  'preprocess and postprocess': inStack(
    pipeline((stack) => ({
      preprocess: userFunction(stack, 'Preprocess'),
      postprocess: userFunction(stack, 'Postprocess').currentVersion,
    })),
  ),
  fragments: inStack(fragments),
  'a batch of objects in a VPC, with keys': inStack(
    batch(
      () => BatchItems.objects('inputs/docs/'),
      (stack) => ({ ...keys(stack), vpc: new ec2.Vpc(stack, 'Vpc') }),
    ),
  ),
  'a batch of an inventory, with the longest names and the whole model': inStack(
    batch(
      (stack) => BatchItems.inventory('reports/all/2026-11-01T00-00Z/manifest.json', listed(stack)),
      () => ({ ...hundred(), consolidation: Consolidation.ALWAYS }),
      { toleratedFailures: 0, toleratedFailurePercentage: 0, maxConcurrency: 10_000, itemsPerRun: 40 },
    ),
    {
      ...{ stackName: LONGEST_STACK_NAME, env: { account: '111122223333', region: LONGEST_REGION } },
      // Indented, the template would exceed the limit of CloudFormation, of which CDK warns.
      suppressTemplateIndentation: true,
    },
  ),
  'a batch of lines, with functions of the user': inStack(
    batch(
      () => BatchItems.jsonLines('lists/a.jsonl'),
      (stack) => ({ preprocess: userFunction(stack, 'Before'), postprocess: userFunction(stack, 'After') }),
    ),
  ),
  'a batch of rows': inStack(batch((stack) => BatchItems.csv('lists/a.csv', 'key', listed(stack)))),
  'a nested stack with a key': inStack((stack) => {
    const encryptionKey = keyIn(stack, 'Key');
    addPipeline(new NestedStack(stack, 'Nested'), 'Pipeline', { ...three, encryptionKey });
  }),
  'ARM and all logs': inStack(
    pipeline(() => ({ architecture: lambda.Architecture.ARM_64, logLevel: sfn.LogLevel.ALL })),
  ),
  'a function with keys, a VPC, a URL and a batch': inStack((stack) => {
    const own = new InferenceFunction(stack, 'Function', {
      ...{ modelPath: MLP_PATH, dimensions: { batch: 1 }, functionUrl: true, sliceMetrics: true },
      ...{ ...keys(stack), vpc: new ec2.Vpc(stack, 'Vpc') },
    });
    own.grantInvoke(new iam.Role(stack, 'Caller', { assumedBy: new iam.AccountRootPrincipal() }));
    const items = BatchItems.objects('inputs/docs/');
    new SlicedInferenceBatch(stack, 'Nightly', { pipeline: own, items });
    new SlicedInferenceAlarms(stack, 'Alarms', { pipeline: own });
    new SlicedInferenceDashboard(stack, 'Dashboard', { pipelines: [own] });
  }),
  'a function with provisioned concurrency': inStack((stack) => {
    const model = { modelPath: MLP_PATH, dimensions: { batch: 1 } };
    new InferenceFunction(stack, 'Function', { ...model, provisionedConcurrentExecutions: 2 });
  }),
  'a bucket of another stack in a stage': (app) => {
    const stage = new Stage(app, 'Prod', { env: { account: '111122223333', region: 'eu-west-1' } });
    const shared = new Stack(stage, 'Shared');
    const bucket = new s3.Bucket(shared, 'Bucket', {
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: keyIn(shared, 'Key'),
      enforceSSL: true,
    });
    addPipeline(new Stack(stage, 'Stack'), 'Pipeline', { ...three, bucket });
  },
};
