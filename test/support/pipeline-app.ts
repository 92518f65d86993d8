/** Synthesizes apps with a bucket, a function without dependencies and a state machine, and runs them locally. */
import { App, Stack, type StackProps } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { userFunction } from './deployed-pipeline';
import { temporaryFolder } from './temporary-folder';

export { start } from './deployed-pipeline';

interface PipelineStackProps extends StackProps {
  /** `index.js` of the function. */
  readonly source: string;
  readonly stateMachineType?: sfn.StateMachineType;
}

export class PipelineStack extends Stack {
  readonly bucket: s3.Bucket;
  readonly slice: lambda.Function;
  readonly machine: sfn.StateMachine;

  constructor(scope: Construct, id: string, props: PipelineStackProps) {
    super(scope, id, props);
    const bucket = new s3.Bucket(this, 'Bucket');
    this.bucket = bucket;
    this.slice = userFunction(this, 'Slice', props.source);
    this.slice.addEnvironment('BUCKET', bucket.bucketName);
    bucket.grantReadWrite(this.slice);
    const task = tasks.LambdaInvoke.jsonata(this, 'Run', {
      lambdaFunction: this.slice.currentVersion,
      retryOnServiceExceptions: false,
      payload: sfn.TaskInput.fromObject({
        request: '{% $states.input %}',
        run: '{% $states.context.Execution.Id %}',
      }),
      outputs: '{% $states.result.Payload %}',
    });
    task.addRetry({ errors: ['Runtime.ExitError'], interval: undefined, maxAttempts: 1 });
    this.machine = new sfn.StateMachine(this, 'Machine', {
      definitionBody: sfn.DefinitionBody.fromChainable(task),
      comment: JSON.stringify({
        slicedInference: { version: 1, bucket: bucket.bucketName, deploymentDigest: 'abc' },
      }),
      queryLanguage: sfn.QueryLanguage.JSONATA,
      stateMachineType: props.stateMachineType ?? sfn.StateMachineType.EXPRESS,
    });
  }
}

/** Synthesizes an app, and returns the folder of the assembly. */
export function synthesize(build: (app: App) => void): string {
  const app = new App({ outdir: temporaryFolder(), analyticsReporting: false });
  build(app);
  return app.synth().directory;
}
