/** A pipeline behind an HTTP API, without a function between: callers are authorized by IAM, or by the tokens of an issuer. */
import { App, CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer, HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpStepFunctionsIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { SlicedInferencePipeline, Slicing } from 'cdk-sliced-inference';

const app = new App();
const stack = new Stack(app, 'Http');

const { stateMachine } = new SlicedInferencePipeline(stack, 'Digits', {
  modelPath: 'digits.onnx',
  slicing: Slicing.count(2),
  dimensions: { batch: 1 },
  // An answer later than 30 seconds would reach nobody.
  timeout: Duration.seconds(29),
  // The local cloud runs the functions on this machine, so the app takes its architecture.
  architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
  removalPolicy: RemovalPolicy.DESTROY,
  autoDeleteObjects: true,
});

// `cdk synth --context issuer=https://… --context audience=…` takes tokens instead of signatures of IAM.
const issuer = app.node.tryGetContext('issuer') as string | undefined;
const audience = app.node.tryGetContext('audience') as string | undefined;

// A page that signs sends these headers too: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
const SIGNATURE_HEADERS = ['x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256'];

const api = new apigateway.HttpApi(stack, 'Api', {
  createDefaultStage: false,
  corsPreflight: {
    allowOrigins: ['https://app.example.com'],
    allowMethods: [apigateway.CorsHttpMethod.POST],
    allowHeaders: ['authorization', 'content-type', ...(issuer === undefined ? SIGNATURE_HEADERS : [])],
    maxAge: Duration.hours(1),
  },
});

api.addRoutes({
  path: '/digits',
  methods: [apigateway.HttpMethod.POST],
  authorizer:
    issuer === undefined
      ? new HttpIamAuthorizer()
      : new HttpJwtAuthorizer('Tokens', issuer, { jwtAudience: [audience ?? 'digits'] }),
  integration: new HttpStepFunctionsIntegration('Run', {
    stateMachine,
    subtype: apigateway.HttpIntegrationSubtype.STEPFUNCTIONS_START_SYNC_EXECUTION,
    parameterMapping: new apigateway.ParameterMapping()
      .custom('StateMachineArn', stateMachine.stateMachineArn)
      .custom('Input', '$request.body'),
  }),
});

const accessLogs = new logs.LogGroup(stack, 'AccessLogs', {
  retention: logs.RetentionDays.ONE_MONTH,
  removalPolicy: RemovalPolicy.DESTROY,
});
new apigateway.HttpStage(stack, 'Stage', {
  httpApi: api,
  autoDeploy: true,
  // Requests a second on average, and at once. More are answered with 429, and start and cost nothing.
  throttle: { rateLimit: 20, burstLimit: 40 },
  accessLogSettings: { destination: new apigateway.LogGroupLogDestination(accessLogs) },
});

new CfnOutput(stack, 'HttpEndpoint', { value: api.apiEndpoint });
