/** What is said of models that take long to load or much room, by a plan alone: the models are in a bucket. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Duration, Size } from 'aws-cdk-lib';
import { Annotations as Found, Match } from 'aws-cdk-lib/assertions';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import type { SlicedInferencePipelineProps } from '../../../lib';
import { SlicedInferencePipeline, SlicedModel, WarmUp } from '../../../lib';
import { compile } from '../../../lib/compile/compile';
import type { SlicePlan } from '../../../lib/plan/plan';
import { count } from '../../../lib/plan/search/slicers';
import { temporaryFolder } from '../../support/model-builder';
import { writtenPlan } from '../../support/written-plan';
import { MLP_PATH, errorOf, newStack, shortTemplate } from '../../support/pipeline-stack';

/** Three slices of 6 GB: each loads for 150 seconds, at 40 MB/s. */
const BYTES = 6_000_000_000;
const { plan } = writtenPlan(compile(MLP_PATH, count(3), { dimensions: { batch: 1 } }));
const large: SlicePlan = {
  ...plan,
  slices: plan.slices.map((slice) => ({
    ...slice,
    model: { ...slice.model, bytes: 0 },
    weights: { file: 'slice-00.weights', sha256: slice.model.sha256, bytes: BYTES },
    ephemeralStorageMb: 6500,
    timeoutSeconds: 510,
  })),
};
const planPath = path.join(temporaryFolder(), 'plan.json');
fs.writeFileSync(planPath, JSON.stringify(large));

function deployed(props: Partial<SlicedInferencePipelineProps>) {
  const stack = newStack();
  const bucket = s3.Bucket.fromBucketName(stack, 'Models', 'my-models');
  new SlicedInferencePipeline(stack, 'Pipeline', {
    slicedModel: SlicedModel.fromBucket(bucket, 'large', planPath),
    ...props,
  });
  const warnings = Found.fromStack(stack).findWarning('*', Match.anyValue());
  return { warnings: warnings.map(({ entry }) => entry.data as string), ...shortTemplate(stack) };
}

const standard = { stateMachineType: StateMachineType.STANDARD };

function timeoutOf(props: Partial<SlicedInferencePipelineProps>): unknown {
  const { DefinitionString } = deployed(props).resource('Pipeline/StateMachine');
  return /"TimeoutSeconds":(\d+),"Comment"/.exec(DefinitionString as string)?.[1];
}

test('side by side they load within the time of an Express machine', () => {
  expect(deployed({}).warnings).toEqual([]);
});

test('one after the other they do not', () => {
  expect(deployed({ warmUp: WarmUp.NEVER }).warnings).toEqual([
    'a run whose functions are all cold loads for some 450 seconds, and the state machine has 300 in all: ' +
      'set stateMachineType to STANDARD (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html) ' +
      '[ack: cdk-sliced-inference:expressQuota]',
  ]);
});

test('a Standard machine waits for all of them by itself', () => {
  expect(deployed({ ...standard, warmUp: WarmUp.NEVER }).warnings).toEqual([]);
  expect(timeoutOf(standard)).toBe('1530');
  expect(timeoutOf({})).toBe('300');
});

test('a timeout that a cold run does not keep is warned of', () => {
  expect(deployed({ timeout: Duration.seconds(160) }).warnings).toEqual([
    'a run whose functions are all cold loads for some 150 seconds, and the state machine has 160 in all: ' +
      'raise its timeout [ack: cdk-sliced-inference:littleTime]',
  ]);
});

test('so is one of a function', () => {
  expect(
    deployed({ sliceFunctionOverrides: { 'slice-01': { timeout: Duration.seconds(90) } } }).warnings,
  ).toEqual([
    'the function of slice-01 loads for some 150 seconds when it is cold, and has a timeout of 1 minute 30 seconds: ' +
      'raise it [ack: cdk-sliced-inference:littleFunctionTime]',
  ]);
});

test('a /tmp that does not hold the files is refused', () => {
  expect(errorOf(() => deployed({ sliceFunctions: { ephemeralStorageSize: Size.mebibytes(512) } }))).toBe(
    'the /tmp of the function of slice-00 must hold its files of 6000000000 bytes, got 536870912 bytes: ' +
      'raise its ephemeralStorageSize to 6500 MB',
  );
});
