/**
 * Runs a state machine of the user that joins two pipelines with functions between them, over HTTP, and starts one of the
 * pipelines by an object.
 */
import * as path from 'node:path';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeStateMachineCommand, ListStateMachinesCommand, SFNClient } from '@aws-sdk/client-sfn';
import { App, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpStepFunctionsIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { decodeInlineTensor, type InlineTensor } from '../../client';
import { encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { SlicedInferencePipeline, Slicing } from '../../lib';
import type { JsonObject, LocalCloud } from '../../local';
import { readAssembly } from '../../local/cloudformation/assembly';
import { selectPipeline } from '../../local/cloudformation/pipeline';
import { ARCHITECTURE, requestOf, rows, start, succeeded, userFunction } from '../support/deployed-pipeline';
import { request } from '../support/https-request';
import { mlp, saveModel, temporaryFolder } from '../support/model-builder';
import { shareZips } from '../support/share-zips';
import { runWhole } from '../support/run-slices';
import { until } from '../support/until';

const detection = saveModel(mlp(4));
const recognition = saveModel(mlp(3));

/** Keeps the result of the first pipeline in a bucket of the user, and makes it the request for the second one. */
const CROP = `
const { GetObjectCommand, PutObjectCommand, S3Client } = require(${JSON.stringify(require.resolve('@aws-sdk/client-s3'))});
const s3 = new S3Client();
exports.handler = async ({ run, outputs }) => {
  const at = { Bucket: process.env.CROPS, Key: run + '.json' };
  await s3.send(new PutObjectCommand({ ...at, Body: JSON.stringify(outputs.tensors.y) }));
  const { Body } = await s3.send(new GetObjectCommand(at));
  return { version: 1, inputs: { tensors: { x: JSON.parse(await Body.transformToString()) } } };
};`;

/** The user's answer. */
const TEXT = `exports.handler = async ({ outputs, timings }) => ({ y: outputs.tensors.y, slices: timings.length });`;

function task(stack: Stack, id: string, lambdaFunction: lambda.IFunction): tasks.LambdaInvoke {
  return tasks.LambdaInvoke.jsonata(stack, id, { lambdaFunction, outputs: '{% $states.result.Payload %}' });
}

function pipeline(stack: Stack, id: string, modelPath: string): SlicedInferencePipeline {
  return new SlicedInferencePipeline(stack, id, {
    modelPath,
    slicing: Slicing.count(2),
    dimensions: { batch: 2 },
    architecture: ARCHITECTURE,
  });
}

function readPhoto(
  stack: Stack,
  first: SlicedInferencePipeline,
  second: SlicedInferencePipeline,
): sfn.StateMachine {
  const crops = new s3.Bucket(stack, 'Crops');
  const crop = userFunction(stack, 'CropFunction', CROP);
  crop.addEnvironment('CROPS', crops.bucketName);
  crops.grantReadWrite(crop);
  return new sfn.StateMachine(stack, 'ReadPhoto', {
    queryLanguage: sfn.QueryLanguage.JSONATA,
    stateMachineType: sfn.StateMachineType.EXPRESS,
    definitionBody: sfn.DefinitionBody.fromChainable(
      sfn.Chain.start(first.asFragment(stack, 'Detect'))
        .next(task(stack, 'Crop', crop))
        .next(second.asFragment(stack, 'Recognize'))
        .next(task(stack, 'Answer', userFunction(stack, 'TextFunction', TEXT))),
    ),
  });
}

function addFront(stack: Stack, machine: sfn.StateMachine): void {
  new apigateway.HttpApi(stack, 'Api').addRoutes({
    path: '/read',
    methods: [apigateway.HttpMethod.POST],
    integration: new HttpStepFunctionsIntegration('Read', {
      stateMachine: machine,
      subtype: apigateway.HttpIntegrationSubtype.STEPFUNCTIONS_START_SYNC_EXECUTION,
      parameterMapping: new apigateway.ParameterMapping()
        .custom('StateMachineArn', machine.stateMachineArn)
        .custom('Input', '$request.body'),
    }),
  });
}

function addArrival(stack: Stack, { bucket, stateMachine }: SlicedInferencePipeline): void {
  if (!(bucket instanceof s3.Bucket)) throw new Error('the pipeline has an imported bucket');
  bucket.enableEventBridgeNotification();
  new events.Rule(stack, 'Arrival', {
    eventPattern: {
      source: ['aws.s3'],
      detailType: ['Object Created'],
      detail: { bucket: { name: [bucket.bucketName] }, object: { key: [{ prefix: 'inputs/arrivals/' }] } },
    },
    targets: [
      new targets.SfnStateMachine(stateMachine, {
        input: events.RuleTargetInput.fromObject({
          version: 1,
          inputs: { s3: events.EventField.fromPath('$.detail.object.key') },
          output: { inline: 'never' },
        }),
      }),
    ],
  });
}

/** A state machine that the local cloud cannot run, and that nobody starts here. */
function addForeign(stack: Stack): void {
  const queue = new Queue(stack, 'Queue');
  new sfn.StateMachine(stack, 'Foreign', {
    definitionBody: sfn.DefinitionBody.fromChainable(new sfn.Pass(stack, 'P', { comment: queue.queueUrl })),
  });
}

function synthesize(): string {
  const outdir = path.join(temporaryFolder(), 'cdk.out');
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Ocr');
  const [first, second] = [
    pipeline(stack, 'Detection', detection),
    pipeline(stack, 'Recognition', recognition),
  ];
  addFront(stack, readPhoto(stack, first, second));
  addArrival(stack, first);
  addForeign(stack);
  shareZips(app.synth().directory);
  return outdir;
}

async function expected(inputs: ReadonlyMap<string, RawTensor>): Promise<RawTensor | undefined> {
  const found = (await runWhole(detection, new Map(inputs))).get('y');
  if (found === undefined) throw new Error('no output y');
  return (await runWhole(recognition, new Map([['x', found]]))).get('y');
}

interface Answer {
  readonly y: InlineTensor;
  readonly slices: number;
}

let assembly: string;
let cloud: LocalCloud;
let logicalId: string;
beforeAll(async () => {
  assembly = synthesize();
  const resources = readAssembly(assembly)[0].template.Resources as JsonObject;
  logicalId = Object.keys(resources).find((id) => /^ReadPhoto[0-9A-F]{8}$/.test(id)) ?? '';
  cloud = await start(assembly, { pipeline: `Ocr/${logicalId}` });
});

describe('a state machine of the user', () => {
  test('joins two pipelines with functions that use S3', async () => {
    const inputs = rows(2, 3);
    const answer = succeeded(await cloud.execute(requestOf(inputs))) as unknown as Answer;
    expect(decodeInlineTensor('y', answer.y)).toEqual(await expected(inputs));
    expect(answer.slices).toBe(2);
  });

  test('returns its answer over HTTP', async () => {
    const inputs = rows(2, 5);
    const { status, body } = await request(
      `${cloud.httpEndpoint ?? ''}/read`,
      cloud.s3.certificateAuthority?.pem ?? '',
      { body: JSON.stringify(requestOf(inputs)) },
    );
    expect(status).toBe(200);
    const { output } = body as { output: string };
    expect(decodeInlineTensor('y', (JSON.parse(output) as Answer).y)).toEqual(await expected(inputs));
  });

  test('has no bucket of its own, and the pipelines of its stack are known', () => {
    expect(cloud.stateMachine.stateMachineArn).toMatch(/:stateMachine:Ocr-ReadPhoto/);
    expect(cloud.pipelines.map(({ bucket }) => bucket?.slice(0, 15))).toEqual([
      ...['ocr-detectionbu', 'ocr-recognition'],
    ]);
    expect(() => cloud.pipeline).toThrow(
      'must have one pipeline, got 2: use the properties stateMachine and',
    );
    expect(() => selectPipeline(readAssembly(assembly), logicalId)).toThrow('got one of your own');
    expect(() => selectPipeline(readAssembly(assembly))).toThrow(
      /^the assembly has 2 pipelines: choose one of Ocr\/\w+, Ocr\/\w+ with --pipeline/,
    );
  });
});

describe('the other state machines of the stack', () => {
  test('can be started through Step Functions as far as they run here', async () => {
    const client = new SFNClient(cloud.stepFunctions);
    const { stateMachines = [] } = await client.send(new ListStateMachinesCommand({}));
    expect(stateMachines.map(({ name }) => name?.replace(/[0-9A-F]{8}$/, ''))).toEqual([
      'Ocr-ReadPhoto',
      'Ocr-DetectionStateMachine',
      'Ocr-RecognitionStateMachine',
    ]);
    const foreign = cloud.stateMachine.stateMachineArn.replace(/ReadPhoto.*/, '');
    const id = Object.keys(readAssembly(assembly)[0].template.Resources as JsonObject).find((name) =>
      /^Foreign[0-9A-F]{8}$/.test(name),
    );
    await expect(
      client.send(new DescribeStateMachineCommand({ stateMachineArn: `${foreign}${id ?? ''}` })),
    ).rejects.toMatchObject({
      name: 'StateMachineDoesNotExist',
      message: expect.stringContaining('the local cloud does not support AWS::SQS::Queue') as string,
    });
    client.destroy();
  });

  test('are started by an object that arrives', async () => {
    const [{ bucket: Bucket }] = cloud.pipelines;
    const client = new S3Client(cloud.s3);
    const inputs = rows(2, 7);
    const Body = encodeSafetensors(inputs);
    await client.send(new PutObjectCommand({ Bucket, Key: 'inputs/arrivals/a.safetensors', Body }));
    const list = () => client.send(new ListObjectsV2Command({ Bucket, Prefix: 'outputs/' }));
    // The fragment of the other state machine also writes into this bucket. EventBridge names an execution by two UUIDs.
    await until('the outputs', async () =>
      (await list()).Contents?.some(({ Key = '' }) => /^outputs\/[0-9a-f-]{36}_[0-9a-f-]{36}\//.test(Key)),
    );
    client.destroy();
  });
});
