/** The stacks that `npm run validate` checks: each feature of the constructs that changes the template, at least once. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import {
  CfnOutput,
  Duration,
  NestedStack,
  RemovalPolicy,
  Stack,
  Stage,
  type App,
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
import { count } from '../../lib/plan/slicers';
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

const { STANDARD } = sfn.StateMachineType;
const ZONE = 'use1-az5';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html */
const LONGEST_STACK_NAME = 'N'.repeat(128);
const [LONGEST_REGION] = RegionInfo.regions
  .map(({ name }) => name)
  .sort((one, other) => other.length - one.length);

/** A stack `Stack` in the app with what `build` adds. */
function stackCase(name: string, flags: StackCase['flags'], build: Build): StackCase {
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

type Build = (stack: Stack, models: Models) => void;

function branches(stateMachineType: sfn.StateMachineType): Build {
  return (stack, { towers: modelPath }) => {
    const slicing = Slicing.count(5);
    new SlicedInferencePipeline(stack, 'Pipeline', { modelPath, slicing, stateMachineType });
  };
}

/** A pipeline of many slices, with everything that grows with their number. */
function manySlices(
  slices: number,
  type?: sfn.StateMachineType,
  props: (stack: Stack) => Partial<SlicedInferencePipelineProps> = () => ({}),
): Build {
  return (stack, models) => {
    const pipeline = addPipeline(stack, models, {
      modelPath: models.deep,
      dimensions: { batch: 1 },
      slicing: Slicing.count(slices),
      sliceMetrics: true,
      ...(type && { stateMachineType: type, warmUp: WarmUp.ALWAYS }),
      ...props(stack),
    });
    new SlicedInferenceDashboard(stack, 'Dashboard', { pipelines: [pipeline] });
  };
}

function isolatedVpc(stack: Stack): ec2.Vpc {
  return new ec2.Vpc(stack, 'Vpc', {
    natGateways: 0,
    subnetConfiguration: [{ name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
    gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
  });
}

function keys(stack: Stack): Partial<SlicedInferencePipelineProps> {
  return {
    encryptionKey: encryptionKey(stack, 'Key'),
    logEncryptionKey: encryptionKey(stack, 'LogKey'),
    assetEncryptionKey: encryptionKey(stack, 'AssetKey'),
  };
}

function bucketWithKey(stack: Stack): s3.Bucket {
  return new s3.Bucket(stack, 'Bucket', {
    encryption: s3.BucketEncryption.KMS,
    encryptionKey: encryptionKey(stack, 'Key'),
    enforceSSL: true,
  });
}

function callers(stack: Stack, id: string): iam.Role {
  return new iam.Role(stack, id, { assumedBy: new iam.AccountRootPrincipal() });
}

function encryptionKey(stack: Stack, id: string): kms.Key {
  return new kms.Key(stack, id, { enableKeyRotation: true });
}

function userFunction(stack: Stack, id: string): lambda.Function {
  return new lambda.Function(stack, id, {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = async (event) => event;'),
  });
}

const SIZES: readonly StackCase[] = [
  stackCase('one slice', 'none', manySlices(1)),
  stackCase('one slice, Standard', 'recommended', manySlices(1, STANDARD)),
  stackCase('eight slices', 'recommended', manySlices(8)),
  stackCase('eight slices, Standard', 'none', manySlices(8, STANDARD)),
  stackCase('a hundred slices', 'recommended', manySlices(100)),
  {
    name: 'a hundred slices, Standard, longest names',
    flags: 'none',
    build: (app, models) => {
      const env = { account: '111122223333', region: LONGEST_REGION };
      manySlices(100, STANDARD, (stack) => ({ ...keys(stack), consolidation: Consolidation.ALWAYS }))(
        new Stack(app, 'Stack', { stackName: LONGEST_STACK_NAME, env }),
        models,
      );
    },
  },
  stackCase('branches', 'recommended', branches(sfn.StateMachineType.EXPRESS)),
  stackCase('branches, Standard', 'none', branches(STANDARD)),
];

const SURROUNDINGS: readonly StackCase[] = [
  pipelineCase('a VPC', 'recommended', (stack) => ({ vpc: new ec2.Vpc(stack, 'Vpc') })),
  pipelineCase('KMS keys', 'none', keys),
  {
    ...pipelineCase('a hardened account', 'recommended', (stack) => {
      const key = encryptionKey(stack, 'Key');
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
  pipelineCase('a bucket with a key', 'recommended', (stack) => ({ bucket: bucketWithKey(stack) })),
  {
    name: 'a bucket of another stack',
    flags: 'none',
    build: (app, models) => {
      const shared = new Stack(app, 'Shared');
      const bucket = bucketWithKey(shared);
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
      encryptionKey: encryptionKey(stack, 'Key'),
    });
    pipeline.grantInvoke(callers(stack, 'Callers'));
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
      pipeline.grantInvoke(callers(stack, `Callers of ${id}`));
      pipeline.grantReadOutputs(userFunction(stack, `Reader of ${id}`));
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
