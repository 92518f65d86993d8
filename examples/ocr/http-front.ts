/** The HTTP API in front of the state machine, with no function between: `POST /read` starts it and waits. */
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpStepFunctionsIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** Callers sign their requests and need `execute-api:Invoke`. */
export function addHttpFront(scope: Construct, machine: sfn.StateMachine): apigateway.HttpApi {
  const api = new apigateway.HttpApi(scope, 'Api');
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
  return api;
}
