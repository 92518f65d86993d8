/** The props of a pipeline decide what the model of cost assumes. */
import { Duration, Lazy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { TensorStore, WarmUp, type SlicedInferencePipelineProps } from '../../../lib';
import { pipelineCosts, pipelineTransport } from '../../../lib/pipeline/pipeline-costs';
import { pipelineSettings } from '../../../lib/pipeline/settings';
import { newStack } from '../../support/pipeline-stack';

const costsOf = (props: SlicedInferencePipelineProps) => pipelineCosts(props, pipelineSettings(props));
const DEFAULTS = costsOf({});

describe('the model of cost', () => {
  it('assumes an Express pipeline on x86_64 without a VPC, whose warm-ups follow from its plan', () => {
    expect(DEFAULTS).toEqual({
      stateMachineType: 'express',
      architecture: 'x86_64',
      networkInVpc: false,
      tensorsInState: true,
    });
  });

  it.each<[SlicedInferencePipelineProps, object]>([
    [{ stateMachineType: sfn.StateMachineType.STANDARD }, { stateMachineType: 'standard' }],
    [{ architecture: lambda.Architecture.ARM_64 }, { architecture: 'arm64' }],
    [{ warmUp: WarmUp.NEVER }, { warmUp: false }],
    [{ warmUp: WarmUp.ALWAYS }, { warmUp: true }],
    [{ vpc: new ec2.Vpc(newStack(), 'Vpc') }, { networkInVpc: true }],
    [{ tensorsInState: false }, { tensorsInState: false }],
    [{ encryptionKey: new kms.Key(newStack(), 'Key') }, { tensorsInState: false }],
    [{ encryptionKey: new kms.Key(newStack(), 'Key'), tensorsInState: true }, { tensorsInState: true }],
    [{ intermediateRetention: Duration.days(3) }, { intermediateRetentionDays: 3 }],
    [{ intermediateRetention: Duration.days(Lazy.number({ produce: () => 3 })) }, {}],
  ])('follows prop %#', (props, expected) => {
    expect(costsOf(props)).toEqual({ ...DEFAULTS, ...expected });
  });

  it('assumes the tensor store of the pipeline', () => {
    const transportOf = (props: SlicedInferencePipelineProps) => pipelineTransport(pipelineSettings(props));
    expect(transportOf({})).toBe('s3-standard');
    expect(transportOf({ tensorStore: TensorStore.s3Standard() })).toBe('s3-standard');
    expect(transportOf({ tensorStore: TensorStore.s3ExpressOneZone('use1-az5') })).toBe('s3-express');
  });
});
