/** A state machine of your own with a pipeline inside: it reads a number, digit by digit. */
import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { SlicedInferencePipeline, Slicing } from 'cdk-sliced-inference';

const app = new App();
const stack = new Stack(app, 'Workflow');

// The local cloud runs the functions on this machine, so the app takes its architecture.
const architecture = process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64;

const digits = new SlicedInferencePipeline(stack, 'Digits', {
  modelPath: 'digits.onnx',
  slicing: Slicing.count(2),
  dimensions: { batch: 1 },
  architecture,
  removalPolicy: RemovalPolicy.DESTROY,
  autoDeleteObjects: true,
});

/** A state that calls a function of `functions/`. Its output is what the function returns. */
function call(id: string, file: string, payload: string): tasks.LambdaInvoke {
  const lambdaFunction = new lambda.Function(stack, `${id}Function`, {
    code: lambda.Code.fromAsset('functions'),
    handler: `${file}.handler`,
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture,
  });
  return tasks.LambdaInvoke.jsonata(stack, id, {
    lambdaFunction,
    payload: sfn.TaskInput.fromText(payload),
    outputs: '{% $states.result.Payload %}',
  });
}

const prepare = call('Prepare', 'prepare', '{% $states.input %}');
const summarize = call('Summarize', 'summarize', '{% $states.input %}');
const nothing = sfn.Pass.jsonata(stack, 'NothingToRead', { outputs: { text: '', failures: [] } });

const read = digits.asFragment(stack, 'Read').toSingleState({ outputs: '{% $states.result[0] %}' });

// The pipeline has retried already. So the error becomes the result of this drawing, and the others go on.
read.addCatch(
  sfn.Pass.jsonata(stack, 'Unreadable', {
    outputs: {
      error: {
        name: '{% $states.input.Error %}',
        message: '{% $parse($states.input.Cause).message %}',
      },
    },
  }),
);

const readAll = sfn.Map.jsonata(stack, 'ReadAll', {
  items: sfn.ProvideItems.jsonata('{% $states.input.requests %}'),
  maxConcurrency: 4,
  outputs: { results: '{% $states.result %}' },
}).itemProcessor(read);

const machine = new sfn.StateMachine(stack, 'ReadNumber', {
  stateMachineType: sfn.StateMachineType.EXPRESS,
  queryLanguage: sfn.QueryLanguage.JSONATA,
  definitionBody: sfn.DefinitionBody.fromChainable(
    prepare.next(
      sfn.Choice.jsonata(stack, 'AnyDrawings')
        .when(sfn.Condition.jsonata('{% $count($states.input.requests) > 0 %}'), readAll.next(summarize))
        .otherwise(nothing),
    ),
  ),
});

new CfnOutput(stack, 'StateMachineArn', { value: machine.stateMachineArn });
