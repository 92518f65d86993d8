/** Synthesizes the stack that its argument describes as JSON: a function of a model, a pipeline of one slice, and a bare function. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { InferenceFunction, SlicedInferencePipeline, Slicing, WarmUp } from '../../lib';
import type { FunctionSubject } from './deployed';

function build({ outdir, model, memoryMb }: FunctionSubject): void {
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Bench');
  const architecture = process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;
  const props = { modelPath: model.file, dimensions: model.dimensions, architecture };
  const whole = new InferenceFunction(stack, 'Whole', { ...props, memorySize: memoryMb });
  const { memorySize } = whole.function.node.defaultChild as lambda.CfnFunction;
  new SlicedInferencePipeline(stack, 'Pipeline', {
    ...{ ...props, slicing: Slicing.count(1), warmUp: WarmUp.NEVER },
    ...{ stateMachineType: sfn.StateMachineType.EXPRESS, sliceFunctions: { memorySize } },
  });
  const bare = new lambda.Function(stack, 'Bare', {
    ...{ functionName: 'bare', architecture, memorySize, timeout: Duration.minutes(1) },
    ...{ runtime: lambda.Runtime.NODEJS_22_X, handler: 'index.handler' },
    code: lambda.Code.fromAsset(path.join(__dirname, 'bare')),
    // The local cloud's functions see this machine's files.
    environment: { MODEL: model.file, ONNX_RUNTIME: require.resolve('onnxruntime-node') },
  });
  // The local Lambda serves the functions that a state machine of the stack calls.
  const call = tasks.LambdaInvoke.jsonata(stack, 'Call', { lambdaFunction: bare });
  const definitionBody = sfn.DefinitionBody.fromChainable(call);
  new sfn.StateMachine(stack, 'Caller', { definitionBody, queryLanguage: sfn.QueryLanguage.JSONATA });
  app.synth();
  fs.copyFileSync(whole.planPath, path.join(outdir, 'whole-plan.json'));
}

if (require.main === module) build(JSON.parse(process.argv[2]) as FunctionSubject);
