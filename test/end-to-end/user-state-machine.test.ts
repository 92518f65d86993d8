/** Runs a state machine of the user that joins two pipelines with functions between them. */
import type { Stack } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { encodeInlineTensor } from '../../client';
import { tensorNamed } from '../../lambda/tensors/tensor';
import { SlicedInferencePipeline, Slicing } from '../../lib';
import {
  ARCHITECTURE,
  requestOf,
  rows,
  start,
  succeeded,
  synthesize,
  userFunction,
} from '../support/deployed-pipeline';
import { mlp, saveModel } from '../support/model-builder';
import { runWhole } from '../support/run-slices';

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

function addMachines(stack: Stack, first: SlicedInferencePipeline): void {
  const own = { slicing: Slicing.count(2), dimensions: { batch: 2 }, architecture: ARCHITECTURE };
  const second = new SlicedInferencePipeline(stack, 'Recognition', { modelPath: recognition, ...own });
  const crops = new s3.Bucket(stack, 'Crops');
  const crop = userFunction(stack, 'CropFunction', CROP);
  crop.addEnvironment('CROPS', crops.bucketName);
  crops.grantReadWrite(crop);
  const task = (id: string, lambdaFunction: typeof crop) =>
    tasks.LambdaInvoke.jsonata(stack, id, { lambdaFunction, outputs: '{% $states.result.Payload %}' });
  new sfn.StateMachine(stack, 'ReadPhoto', {
    queryLanguage: sfn.QueryLanguage.JSONATA,
    stateMachineType: sfn.StateMachineType.EXPRESS,
    definitionBody: sfn.DefinitionBody.fromChainable(
      sfn.Chain.start(first.asFragment(stack, 'Detect'))
        .next(task('Crop', crop))
        .next(second.asFragment(stack, 'Recognize'))
        .next(task('Answer', userFunction(stack, 'TextFunction', TEXT))),
    ),
  });
}

test('it joins two pipelines with functions that use S3', async () => {
  const props = { slicing: Slicing.count(2), dimensions: { batch: 2 } };
  const assembly = synthesize(detection, () => props, { stackName: 'Ocr', use: addMachines });
  const cloud = await start(assembly, { pipeline: 'Ocr/ReadPhoto' });
  const inputs = rows(2, 3);
  const found = tensorNamed(await runWhole(detection, inputs), 'y');
  const read = tensorNamed(await runWhole(recognition, new Map([['x', found]])), 'y');
  expect(succeeded(await cloud.execute(requestOf(inputs)))).toEqual({
    y: encodeInlineTensor(read),
    slices: 2,
  });
  expect(cloud.stateMachine.stateMachineArn).toMatch(/:stateMachine:Ocr-ReadPhoto/);
  expect(cloud.pipelines.map(({ bucket }) => bucket)).toEqual([
    expect.stringMatching(/^ocr-pipeline/),
    expect.stringMatching(/^ocr-recognition/),
  ]);
  expect(() => cloud.pipeline).toThrow('must have one pipeline, got 2: use the properties stateMachine and');
});
