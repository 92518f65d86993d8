/** The HTTP API in front of the state machine, with no function between: `POST /read` starts it and waits. */
import { RemovalPolicy } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpStepFunctionsIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/**
 * Requests a second on average, and at once. More are answered with 429, and start and cost nothing. A photo calls nine functions, and
 * new accounts may run only ten at a time.
 */
const THROTTLE = { rateLimit: 5, burstLimit: 10 };

/** Callers sign their requests and need `execute-api:Invoke`. */
export function addHttpFront(scope: Construct, machine: sfn.StateMachine): apigateway.HttpApi {
  const api = new apigateway.HttpApi(scope, 'Api', { createDefaultStage: false });
  api.addRoutes({
    path: '/read',
    methods: [apigateway.HttpMethod.POST],
    authorizer: new HttpIamAuthorizer(),
    integration: new HttpStepFunctionsIntegration('ReadPhoto', {
      stateMachine: machine,
      subtype: apigateway.HttpIntegrationSubtype.STEPFUNCTIONS_START_SYNC_EXECUTION,
      parameterMapping: new apigateway.ParameterMapping()
        .custom('StateMachineArn', machine.stateMachineArn)
        .custom('Input', '$request.body'),
    }),
  });
  const accessLogs = new logs.LogGroup(scope, 'AccessLogs', {
    retention: logs.RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  new apigateway.HttpStage(scope, 'Stage', {
    httpApi: api,
    autoDeploy: true,
    throttle: THROTTLE,
    accessLogSettings: { destination: new apigateway.LogGroupLogDestination(accessLogs) },
  });
  return api;
}
