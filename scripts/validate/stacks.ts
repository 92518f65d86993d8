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

type Build = (stack: Stack, models: Models) => void;
type Props = Partial<SlicedInferencePipelineProps>;

function pipelineIn(
  scope: Construct,
  models: Models,
  props: Props = {},
  id = 'Pipeline',
): SlicedInferencePipeline {
  const isGenerated = props.modelPath === undefined && props.slicedModel === undefined;
  return new SlicedInferencePipeline(scope, id, {
    ...(isGenerated && { modelPath: models.small, dimensions: { batch: 1 }, slicing: Slicing.count(3) }),
    ...props,
  });
}

const pipeline =
  (props: (stack: Stack) => Props): Build =>
  (stack, models) => {
    pipelineIn(stack, models, props(stack));
  };

const branches =
  (stateMachineType: sfn.StateMachineType): Build =>
  (stack, { towers: modelPath }) => {
    const slicing = Slicing.count(5);
    new SlicedInferencePipeline(stack, 'Pipeline', { modelPath, slicing, stateMachineType });
  };

/** A pipeline of many slices, with everything that grows with their number. */
function manySlices(
  slices: number,
  type?: sfn.StateMachineType,
  props: (stack: Stack) => Props = () => ({}),
): Build {
  return (stack, models) => {
    const own = pipelineIn(stack, models, {
      modelPath: models.deep,
      dimensions: { batch: 1 },
      slicing: Slicing.count(slices),
      sliceMetrics: true,
      ...(type && { stateMachineType: type, warmUp: WarmUp.ALWAYS }),
      ...props(stack),
    });
    new SlicedInferenceDashboard(stack, 'Dashboard', { pipelines: [own] });
  };
}

function isolatedVpc(stack: Stack): ec2.Vpc {
  return new ec2.Vpc(stack, 'Vpc', {
    natGateways: 0,
    subnetConfiguration: [{ name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
    gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
  });
}

const keyIn = (stack: Stack, id: string): kms.Key => new kms.Key(stack, id, { enableKeyRotation: true });

const keys = (stack: Stack): Props => ({
  encryptionKey: keyIn(stack, 'Key'),
  logEncryptionKey: keyIn(stack, 'LogKey'),
  assetEncryptionKey: keyIn(stack, 'AssetKey'),
});

function bucketWithKey(stack: Stack): s3.Bucket {
  const encryption = s3.BucketEncryption.KMS;
  return new s3.Bucket(stack, 'Bucket', { encryption, encryptionKey: keyIn(stack, 'Key'), enforceSSL: true });
}

function userFunction(stack: Stack, id: string): lambda.Function {
  return new lambda.Function(stack, id, {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = async (event) => event;'),
  });
}

const callersIn = (stack: Stack, id: string): iam.Role =>
  new iam.Role(stack, id, { assumedBy: new iam.AccountRootPrincipal() });

const IN_STACK: Readonly<Record<string, Build>> = {
  'one slice': manySlices(1),
  'one slice, Standard': manySlices(1, STANDARD),
  'eight slices': manySlices(8),
  'eight slices, Standard': manySlices(8, STANDARD),
  branches: branches(sfn.StateMachineType.EXPRESS),
  'branches, Standard': branches(STANDARD),
  'a hundred slices': manySlices(100),
  'KMS keys': pipeline(keys),
  'a VPC': pipeline((stack) => ({ vpc: new ec2.Vpc(stack, 'Vpc') })),
  'Express One Zone in a VPC': pipeline((stack) => ({
    tensorStore: TensorStore.s3ExpressOneZone(ZONE),
    vpc: new ec2.Vpc(stack, 'Vpc'),
  })),
  'Express One Zone': pipeline(() => ({
    tensorStore: TensorStore.s3ExpressOneZone(ZONE),
    intermediateRetention: Duration.days(2),
  })),
  'a model in a bucket': (stack, models) => {
    const keyArn = 'arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000';
    const bucket = s3.Bucket.fromBucketAttributes(stack, 'Models', {
      bucketName: 'models-of-the-team',
      encryptionKey: kms.Key.fromKeyArn(stack, 'ModelKey', keyArn),
    });
    pipelineIn(stack, models, { slicedModel: SlicedModel.fromBucket(bucket, 'ocr/v1', models.plan) });
  },
  'a bucket with a key': pipeline((stack) => ({ bucket: bucketWithKey(stack) })),
  'two pipelines with callers and alarms': (stack, models) => {
    const express = pipelineIn(stack, models, { sliceMetrics: true }, 'Express');
    const standard = pipelineIn(stack, models, { stateMachineType: STANDARD }, 'Standard');
    for (const own of [express, standard]) {
      own.grantInvoke(callersIn(stack, `Callers of ${own.node.id}`));
      own.grantReadOutputs(userFunction(stack, `Reader of ${own.node.id}`));
    }
    new SlicedInferenceAlarms(stack, 'Alarms', {
      pipeline: express,
      maxTime: Duration.seconds(10),
      actions: [new SnsAction(new sns.Topic(stack, 'Topic', { enforceSSL: true }))],
    });
    new SlicedInferenceDashboard(stack, 'Dashboard', { pipelines: [express, standard] });
  },
  'a bucket that is emptied': pipeline(() => ({
    removalPolicy: RemovalPolicy.DESTROY,
    autoDeleteObjects: true,
  })),
  'provisioned concurrency': pipeline(() => ({
    sliceFunctions: { environment: { TEAM: 'ocr' }, provisionedConcurrentExecutions: 2 },
    sliceFunctionOverrides: { 'slice-01': { memorySize: 3008, timeout: Duration.minutes(2) } },
  })),
  'float16 transport': pipeline(() => ({ float16Transport: true })),
  'preprocess and postprocess': pipeline((stack) => ({
    preprocess: userFunction(stack, 'Preprocess'),
    postprocess: userFunction(stack, 'Postprocess').currentVersion,
  })),
  fragments: (stack, models) => {
    const own = pipelineIn(stack, models);
    const machine = (id: string, states: sfn.IChainable, queryLanguage?: sfn.QueryLanguage): void => {
      const definitionBody = sfn.DefinitionBody.fromChainable(states);
      new sfn.StateMachine(stack, id, { definitionBody, ...(queryLanguage && { queryLanguage }) });
    };
    machine('Paths', new sfn.Pass(stack, 'Before').next(own.asFragment(stack, 'First')));
    machine('Jsonata', own.asFragment(stack, 'Second'), sfn.QueryLanguage.JSONATA);
    const third = own.asFragment(stack, 'Third').toSingleState({ stateId: 'Third: all' });
    machine('Caught', third.addCatch(new sfn.Pass(stack, 'Recover')));
  },
  'a nested stack': (stack, models) => {
    const encryptionKey = keyIn(stack, 'Key');
    const own = pipelineIn(new NestedStack(stack, 'Nested'), models, { encryptionKey });
    own.grantInvoke(callersIn(stack, 'Callers'));
    new CfnOutput(stack, 'Machine', { value: own.stateMachine.stateMachineArn });
  },
};

const inStack =
  (build: Build, props?: StackProps): StackCase['build'] =>
  (app, models) => {
    build(new Stack(app, 'Stack', props), models);
  };

export const STACKS: readonly StackCase[] = [
  // The flags take turns.
  ...Object.entries(IN_STACK).map(([name, build], index): StackCase => ({
    name,
    flags: index % 2 === 0 ? 'none' : 'recommended',
    build: inStack(build),
  })),
  {
    name: 'a hundred slices, Standard, longest names',
    flags: 'none',
    build: inStack(
      manySlices(100, STANDARD, (stack) => ({ ...keys(stack), consolidation: Consolidation.ALWAYS })),
      { stackName: LONGEST_STACK_NAME, env: { account: '111122223333', region: LONGEST_REGION } },
    ),
  },
  {
    name: 'a hardened account',
    flags: 'recommended',
    hardened: true,
    build: inStack(
      pipeline((stack) => {
        const key = keyIn(stack, 'Key');
        return {
          encryptionKey: key,
          logEncryptionKey: key,
          vpc: isolatedVpc(stack),
          vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
          sliceFunctions: { reservedConcurrentExecutions: 20 },
        };
      }),
    ),
  },
  {
    name: 'ARM, Node.js 22, no traces',
    flags: 'none',
    chosen: ['L1', 'SF2'],
    build: inStack(
      pipeline(() => ({
        architecture: lambda.Architecture.ARM_64,
        runtime: lambda.Runtime.NODEJS_22_X,
        tracing: false,
        logLevel: sfn.LogLevel.ALL,
      })),
    ),
  },
  {
    name: 'a bucket of another stack',
    flags: 'none',
    build: (app, models) => {
      const bucket = bucketWithKey(new Stack(app, 'Shared'));
      pipelineIn(new Stack(app, 'Stack'), models, { bucket });
    },
  },
  {
    name: 'a stage',
    flags: 'none',
    build: (app, models) => {
      const stage = new Stage(app, 'Prod', { env: { account: '111122223333', region: 'eu-west-1' } });
      pipelineIn(new Stack(stage, 'Stack'), models);
    },
  },
];
