/** The stacks that `npm run validate` checks: each feature of the constructs that changes the template, at least once. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CfnOutput, Duration, NestedStack, RemovalPolicy, Stack, Stage, type App } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import type { Construct } from 'constructs';
import {
  Consolidation,
  SlicedInferenceAlarms,
  SlicedInferenceDashboard,
  SlicedInferencePipeline,
  SlicedModel,
  Slicing,
  TensorStore,
  WarmUp,
  type SlicedInferencePipelineProps,
} from '../../lib';
import { stageModel } from '../../lib/compile/stage';
import { count } from '../../lib/plan/slicing';
import { mlp, saveModel } from '../../test/support/model-builder';
import { twoTowers } from '../../test/support/towers';

export interface StackCase {
  readonly name: string;
  /** Feature flags of the app: all that CDK recommends for new apps, or none as in an old app. */
  readonly flags: 'recommended' | 'none';
  /** Whether the stack sets every prop that the NIST and HIPAA packs of cdk-nag require. */
  readonly hardened?: boolean;
  /** Rules of cdk-nag, without the name of their pack, that the case breaks by a choice of its own. */
  readonly chosen?: readonly string[];
  readonly build: (app: App, models: Models) => void;
}

/** Paths of generated models. */
interface Models {
  /** Four layers. */
  readonly small: string;
  /** Forty layers, enough for a hundred slices. */
  readonly deep: string;
  /** Two independent parts. */
  readonly towers: string;
  /** A plan of `small` in two slices, as `sliced-inference slice --plan` writes it. */
  readonly plan: string;
}

export function writeModels(folder: string): Models {
  const small = saveModel(mlp(4), 'small.onnx', folder);
  const plan = path.join(folder, 'plan.json');
  fs.writeFileSync(plan, JSON.stringify(stageModel(small, count(2)).plan));
  return {
    small,
    deep: saveModel(mlp(40), 'deep.onnx', folder),
    towers: saveModel({ graph: twoTowers() }, 'towers.onnx', folder),
    plan,
  };
}

/** Ids of the keys that encrypt files of models, and of constructs that use a pipeline. The IAM check looks for them. */
export const MODEL_KEYS: readonly string[] = ['AssetKey', 'ModelKey'];
export const callersOf = (pipeline: string): string => `Callers of ${pipeline}`;
export const readerOf = (pipeline: string): string => `Reader of ${pipeline}`;

const { STANDARD } = sfn.StateMachineType;
const ZONE = 'use1-az5';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html */
const LONGEST_STACK_NAME = 'N'.repeat(128);
const [LONGEST_REGION] = RegionInfo.regions
  .map(({ name }) => name)
  .sort((one, other) => other.length - one.length);

/** A stack `Stack` in the app with what `build` adds. */
function stackCase(
  name: string,
  flags: StackCase['flags'],
  build: (stack: Stack, models: Models) => void,
): StackCase {
  return {
    name,
    flags,
    build: (app, models) => {
      build(new Stack(app, 'Stack'), models);
    },
  };
}

/** A stack with one pipeline and nothing that uses it. */
function pipelineCase(
  name: string,
  flags: StackCase['flags'],
  props: (stack: Stack) => Partial<SlicedInferencePipelineProps>,
): StackCase {
  return stackCase(name, flags, (stack, models) => {
    addPipeline(stack, models, props(stack));
  });
}

function addPipeline(
  scope: Construct,
  models: Models,
  props: Partial<SlicedInferencePipelineProps> = {},
  id = 'Pipeline',
): SlicedInferencePipeline {
  const isGenerated = props.modelPath === undefined && props.slicedModel === undefined;
  return new SlicedInferencePipeline(scope, id, {
    ...(isGenerated && { modelPath: models.small, dimensions: { batch: 1 }, slicing: Slicing.count(3) }),
    ...props,
  });
}

/** A pipeline of many slices, with everything that grows with their number. */
function manySlices(
  stack: Stack,
  models: Models,
  slices: number,
  type?: sfn.StateMachineType,
  props: Partial<SlicedInferencePipelineProps> = {},
): void {
  const pipeline = addPipeline(stack, models, {
    modelPath: models.deep,
    dimensions: { batch: 1 },
    slicing: Slicing.count(slices),
    sliceMetrics: true,
    ...(type && { stateMachineType: type, warmUp: WarmUp.ALWAYS }),
    ...props,
  });
  new SlicedInferenceDashboard(stack, 'Dashboard', { pipelines: [pipeline] });
}

function isolatedVpc(stack: Stack): ec2.Vpc {
  return new ec2.Vpc(stack, 'Vpc', {
    natGateways: 0,
    subnetConfiguration: [{ name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
    gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
  });
}

function userFunction(stack: Stack, id: string): lambda.Function {
  return new lambda.Function(stack, id, {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = async (event) => event;'),
  });
}

const SIZES: readonly StackCase[] = [
  stackCase('one slice', 'none', (stack, models) => {
    manySlices(stack, models, 1);
  }),
  stackCase('one slice, Standard', 'recommended', (stack, models) => {
    manySlices(stack, models, 1, STANDARD);
  }),
  stackCase('eight slices', 'recommended', (stack, models) => {
    manySlices(stack, models, 8);
  }),
  stackCase('eight slices, Standard', 'none', (stack, models) => {
    manySlices(stack, models, 8, STANDARD);
  }),
  stackCase('a hundred slices', 'recommended', (stack, models) => {
    manySlices(stack, models, 100);
  }),
  {
    name: 'a hundred slices, Standard, longest names',
    flags: 'none',
    build: (app, models) => {
      const env = { account: '111122223333', region: LONGEST_REGION };
      const stack = new Stack(app, 'Stack', { stackName: LONGEST_STACK_NAME, env });
      const key = (id: string): kms.Key => new kms.Key(stack, id, { enableKeyRotation: true });
      manySlices(stack, models, 100, STANDARD, {
        consolidation: Consolidation.ALWAYS,
        encryptionKey: key('Key'),
        logEncryptionKey: key('LogKey'),
        assetEncryptionKey: key('AssetKey'),
      });
    },
  },
  stackCase('branches', 'recommended', (stack, { towers }) => {
    new SlicedInferencePipeline(stack, 'Pipeline', { modelPath: towers, slicing: Slicing.count(5) });
  }),
  stackCase('branches, Standard', 'none', (stack, { towers }) => {
    new SlicedInferencePipeline(stack, 'Pipeline', {
      modelPath: towers,
      slicing: Slicing.count(5),
      stateMachineType: STANDARD,
    });
  }),
];

const SURROUNDINGS: readonly StackCase[] = [
  pipelineCase('a VPC', 'recommended', (stack) => ({ vpc: new ec2.Vpc(stack, 'Vpc') })),
  pipelineCase('KMS keys', 'none', (stack) => ({
    encryptionKey: new kms.Key(stack, 'Key', { enableKeyRotation: true }),
    logEncryptionKey: new kms.Key(stack, 'LogKey', { enableKeyRotation: true }),
    assetEncryptionKey: new kms.Key(stack, 'AssetKey', { enableKeyRotation: true }),
  })),
  {
    ...pipelineCase('a hardened account', 'recommended', (stack) => {
      const key = new kms.Key(stack, 'Key', { enableKeyRotation: true });
      return {
        encryptionKey: key,
        logEncryptionKey: key,
        vpc: isolatedVpc(stack),
        vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
        sliceFunctions: { reservedConcurrentExecutions: 20 },
      };
    }),
    hardened: true,
  },
  pipelineCase('Express One Zone', 'recommended', () => ({
    tensorStore: TensorStore.s3ExpressOneZone(ZONE),
    intermediateRetention: Duration.days(2),
  })),
  pipelineCase('Express One Zone in a VPC', 'none', (stack) => ({
    tensorStore: TensorStore.s3ExpressOneZone(ZONE),
    vpc: new ec2.Vpc(stack, 'Vpc'),
  })),
  pipelineCase('a bucket with a key', 'recommended', (stack) => ({
    bucket: new s3.Bucket(stack, 'Bucket', {
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: new kms.Key(stack, 'Key', { enableKeyRotation: true }),
      enforceSSL: true,
    }),
  })),
  {
    name: 'a bucket of another stack',
    flags: 'none',
    build: (app, models) => {
      const shared = new Stack(app, 'Shared');
      const encryptionKey = new kms.Key(shared, 'Key', { enableKeyRotation: true });
      const bucket = new s3.Bucket(shared, 'Bucket', {
        encryption: s3.BucketEncryption.KMS,
        encryptionKey,
        enforceSSL: true,
      });
      addPipeline(new Stack(app, 'Stack'), models, { bucket });
    },
  },
  pipelineCase('a bucket that is emptied', 'recommended', () => ({
    removalPolicy: RemovalPolicy.DESTROY,
    autoDeleteObjects: true,
  })),
  stackCase('a model in a bucket', 'none', (stack, models) => {
    const bucket = s3.Bucket.fromBucketAttributes(stack, 'Models', {
      bucketName: 'models-of-the-team',
      encryptionKey: kms.Key.fromKeyArn(
        stack,
        'ModelKey',
        'arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000',
      ),
    });
    addPipeline(stack, models, { slicedModel: SlicedModel.fromBucket(bucket, 'ocr/v1', models.plan) });
  }),
];

const OPTIONS: readonly StackCase[] = [
  pipelineCase('float16 transport', 'recommended', () => ({ float16Transport: true })),
  {
    ...pipelineCase('ARM, Node.js 22, no traces', 'none', () => ({
      architecture: lambda.Architecture.ARM_64,
      runtime: lambda.Runtime.NODEJS_22_X,
      tracing: false,
      logLevel: sfn.LogLevel.ALL,
    })),
    chosen: ['L1', 'SF2'],
  },
  pipelineCase('provisioned concurrency', 'recommended', () => ({
    sliceFunctions: { environment: { TEAM: 'ocr' }, provisionedConcurrentExecutions: 2 },
    sliceFunctionOverrides: { 'slice-01': { memorySize: 3008, timeout: Duration.minutes(2) } },
  })),
  pipelineCase('preprocess and postprocess', 'recommended', (stack) => ({
    preprocess: userFunction(stack, 'Preprocess'),
    postprocess: userFunction(stack, 'Postprocess').currentVersion,
  })),
];

const SCOPES: readonly StackCase[] = [
  stackCase('fragments', 'recommended', (stack, models) => {
    const pipeline = addPipeline(stack, models);
    const machine = (id: string, states: sfn.IChainable, queryLanguage?: sfn.QueryLanguage): void => {
      new sfn.StateMachine(stack, id, {
        definitionBody: sfn.DefinitionBody.fromChainable(states),
        ...(queryLanguage && { queryLanguage }),
      });
    };
    machine('Paths', new sfn.Pass(stack, 'Before').next(pipeline.asFragment(stack, 'First')));
    machine('Jsonata', pipeline.asFragment(stack, 'Second'), sfn.QueryLanguage.JSONATA);
    const caught = pipeline
      .asFragment(stack, 'Third')
      .toSingleState({ stateId: 'Third: all' })
      .addCatch(new sfn.Pass(stack, 'Recover'));
    machine('Caught', caught);
  }),
  stackCase('a nested stack', 'recommended', (stack, models) => {
    const pipeline = addPipeline(new NestedStack(stack, 'Nested'), models, {
      encryptionKey: new kms.Key(stack, 'Key', { enableKeyRotation: true }),
    });
    const assumedBy = new iam.AccountRootPrincipal();
    pipeline.grantInvoke(new iam.Role(stack, callersOf(pipeline.node.id), { assumedBy }));
    new CfnOutput(stack, 'Machine', { value: pipeline.stateMachine.stateMachineArn });
  }),
  {
    name: 'a stage',
    flags: 'none',
    build: (app, models) => {
      const stage = new Stage(app, 'Prod', { env: { account: '111122223333', region: 'eu-west-1' } });
      addPipeline(new Stack(stage, 'Stack'), models);
    },
  },
  stackCase('two pipelines with callers and alarms', 'none', (stack, models) => {
    const express = addPipeline(stack, models, { sliceMetrics: true }, 'Express');
    const standard = addPipeline(stack, models, { stateMachineType: STANDARD }, 'Standard');
    for (const pipeline of [express, standard]) {
      const { id } = pipeline.node;
      const assumedBy = new iam.AccountRootPrincipal();
      pipeline.grantInvoke(new iam.Role(stack, callersOf(id), { assumedBy }));
      pipeline.grantReadOutputs(userFunction(stack, readerOf(id)));
    }
    new SlicedInferenceAlarms(stack, 'Alarms', {
      pipeline: express,
      maxTime: Duration.seconds(10),
      actions: [new SnsAction(new sns.Topic(stack, 'Topic', { enforceSSL: true }))],
    });
    new SlicedInferenceDashboard(stack, 'Dashboard', { pipelines: [express, standard] });
  }),
];

export const STACKS: readonly StackCase[] = [...SIZES, ...SURROUNDINGS, ...OPTIONS, ...SCOPES];
