/** Adds what most stacks with a pipeline have besides: a function with code, and a state machine. */
import type { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';

export function addApplication(stack: Stack): void {
  const lambdaFunction = new lambda.Function(stack, 'OwnFunction', {
    code: lambda.Code.fromAsset(__dirname),
    handler: 'synth-app.handler',
    runtime: lambda.Runtime.NODEJS_24_X,
  });
  const call = new tasks.LambdaInvoke(stack, 'OwnTask', { lambdaFunction });
  new sfn.StateMachine(stack, 'OwnMachine', { definitionBody: sfn.DefinitionBody.fromChainable(call) });
}
