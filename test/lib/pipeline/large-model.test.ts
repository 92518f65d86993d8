/** Warnings and defaults for models with large weights. The plan alone describes them; their files are not needed. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Duration, Size } from 'aws-cdk-lib';
import { Annotations as Found, Match } from 'aws-cdk-lib/assertions';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import {
  type SlicedInferencePipelineProps,
  SlicedInferencePipeline,
  SlicedModel,
  WarmUp,
} from '../../../lib';
import { compile } from '../../../lib/compile/compile';
import type { SlicePlan } from '../../../lib/plan/file/plan';
import { count } from '../../../lib/plan/slicers';
import { temporaryFolder } from '../../support/model-builder';
import { writtenPlan } from '../../support/written-plan';
import { MLP_PATH, errorOf, newStack, shortTemplate } from '../../support/pipeline-stack';

/** Three slices of 6 GB each. At 40 MB/s each takes 150 seconds to load. */
const BYTES = 6_000_000_000;
const { plan } = writtenPlan(compile(MLP_PATH, count(3), { dimensions: { batch: 1 } }));
const large: SlicePlan = {
  ...plan,
  slices: plan.slices.map((slice) => ({
    ...slice,
    ...(slice.weights && { weights: { ...slice.weights, bytes: BYTES - slice.model.bytes } }),
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

test('an Express state machine gives no warning if the slices load at the same time', () => {
  expect(deployed({}).warnings).toEqual([]);
});

test('an Express state machine gives a warning if the slices load one after the other', () => {
  expect(deployed({ warmUp: WarmUp.NEVER }).warnings).toEqual([
    'a run whose functions are all cold spends about 450 seconds loading, and the state machine times out after 300 seconds: ' +
      'set stateMachineType to STANDARD (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html) ' +
      '[ack: cdk-sliced-inference:expressQuota]',
  ]);
});

test('a Standard state machine has a default timeout that allows for all loads', () => {
  expect(deployed({ ...standard, warmUp: WarmUp.NEVER }).warnings).toEqual([]);
  expect(timeoutOf(standard)).toBe('1530');
  expect(timeoutOf({})).toBe('300');
});

test('a state machine timeout that is too short for a cold run gives a warning', () => {
  expect(deployed({ timeout: Duration.seconds(160) }).warnings).toEqual([
    'a run whose functions are all cold spends about 150 seconds loading, and the state machine times out after 160 seconds: ' +
      'raise its timeout [ack: cdk-sliced-inference:littleTime]',
  ]);
});

test('a function timeout that is too short to load the slice gives a warning', () => {
  expect(
    deployed({ sliceFunctionOverrides: { 'slice-01': { timeout: Duration.seconds(90) } } }).warnings,
  ).toEqual([
    'the function of slice-01 spends about 150 seconds loading when it is cold, and its timeout is 1 minute 30 seconds: ' +
      'raise its timeout [ack: cdk-sliced-inference:littleFunctionTime]',
  ]);
});

test('a /tmp that is too small for the files is refused', () => {
  expect(errorOf(() => deployed({ sliceFunctions: { ephemeralStorageSize: Size.mebibytes(512) } }))).toBe(
    'the /tmp of the function of slice-00 must hold its files of 6000000000 bytes, got 536870912 bytes: ' +
      'raise its ephemeralStorageSize to 6500 MB',
  );
});
