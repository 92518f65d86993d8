/** A pipeline for an account with strict rules: in a VPC without a way to the internet, and encrypted with keys of its own. */
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { SlicedInferencePipeline, Slicing } from 'cdk-sliced-inference';

const app = new App();
export const stack = new Stack(app, 'Private');

const tensorKey = new kms.Key(stack, 'TensorKey', { enableKeyRotation: true });
const logKey = new kms.Key(stack, 'LogKey', { enableKeyRotation: true });

// The key of the bootstrap bucket, if `cdk bootstrap --bootstrap-customer-key` made one: --context assetKey=arn:aws:kms:…
const assetKey = app.node.tryGetContext('assetKey') as string | undefined;

const vpc = new ec2.Vpc(stack, 'Vpc', {
  natGateways: 0,
  subnetConfiguration: [{ name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
  // The only way out of the VPC, and free.
  gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
  restrictDefaultSecurityGroup: true,
});

const pipeline = new SlicedInferencePipeline(stack, 'Digits', {
  modelPath: 'digits.onnx',
  slicing: Slicing.count(2),
  dimensions: { batch: 1 },
  vpc,
  vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
  encryptionKey: tensorKey,
  logEncryptionKey: logKey,
  ...(assetKey !== undefined && {
    assetEncryptionKey: kms.Key.fromKeyArn(stack, 'AssetKey', assetKey),
  }),
  // The local cloud runs the functions on this machine, so the app takes its architecture.
  architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
  removalPolicy: RemovalPolicy.DESTROY,
  autoDeleteObjects: true,
});

// Which addresses the functions talked to.
vpc.addFlowLog('FlowLog', {
  destination: ec2.FlowLogDestination.toCloudWatchLogs(
    new logs.LogGroup(stack, 'FlowLogs', {
      encryptionKey: logKey,
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    }),
  ),
});

new CfnOutput(stack, 'StateMachineArn', { value: pipeline.stateMachine.stateMachineArn });
