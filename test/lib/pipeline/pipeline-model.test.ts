/** The props of a pipeline decide what the model of cost assumes. */
import { Duration, Lazy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Prepacking, TensorStore, WarmUp, type SlicedInferencePipelineProps } from '../../../lib';
import { costOptions, transportOf } from '../../../lib/pipeline/pipeline-model';
import { pipelineSettings } from '../../../lib/pipeline/settings';
import { newStack } from '../../support/pipeline-stack';

/** Its warm-ups follow from its plan. */
const DEFAULTS = {
  ...{ stateMachineType: 'express', architecture: 'x86_64', networkInVpc: false, tensorsInState: true },
};
const key = () => new kms.Key(newStack(), 'Key');
const days = (count: number) => ({ intermediateRetention: Duration.days(count) });

test.each<[SlicedInferencePipelineProps, object]>([
  [{}, {}],
  [{ stateMachineType: sfn.StateMachineType.STANDARD }, { stateMachineType: 'standard' }],
  [{ architecture: lambda.Architecture.ARM_64 }, { architecture: 'arm64' }],
  [{ warmUp: WarmUp.NEVER }, { warmUp: false }],
  [{ warmUp: WarmUp.ALWAYS }, { warmUp: true }],
  [{ prepacking: Prepacking.NEVER }, { prepacking: false }],
  [{ prepacking: Prepacking.ALWAYS }, { prepacking: true }],
  [{ vpc: new ec2.Vpc(newStack(), 'Vpc') }, { networkInVpc: true }],
  [{ tensorsInState: false }, { tensorsInState: false }],
  [{ encryptionKey: key() }, { tensorsInState: false }],
  [{ encryptionKey: key(), tensorsInState: true }, { tensorsInState: true }],
  [days(3), { intermediateRetentionDays: 3 }],
  [{ outputRetention: Duration.days(30) }, { outputRetentionDays: 30 }],
  [days(Lazy.number({ produce: () => 3 })), {}],
])('the cost follows props %#', (props, expected) => {
  expect(costOptions(props, pipelineSettings(props))).toEqual({ ...DEFAULTS, ...expected });
});

test.each([
  ['s3-standard', undefined],
  ['s3-standard', TensorStore.s3Standard()],
  ['s3-express', TensorStore.s3ExpressOneZone('use1-az5')],
])('tensors travel by %s', (transport, tensorStore) => {
  expect(transportOf(pipelineSettings({ ...(tensorStore && { tensorStore }) }))).toBe(transport);
});
