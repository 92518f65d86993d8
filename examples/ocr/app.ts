/** The CDK app: a photo goes in over HTTP, and the text in it comes out. Two models are cut into slices. */
import { App, CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { NodejsFunction, ICommandHooks } from 'aws-cdk-lib/aws-lambda-nodejs';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { SlicedInferencePipeline, Slicing } from 'cdk-sliced-inference';
import { MAX_SIDE } from './detection/detection-input';
import { PHOTOS_PREFIX } from './functions/photo-limits';
import { addHttpFront } from './http-front';
import { DETECTION_DIMENSIONS, DETECTION_MODEL, RECOGNITION_DIMENSIONS, RECOGNITION_MODEL } from './models';
import { allowRequests, ARCHITECTURE, nodeFunction, WITH_ALPHABET } from './node-function';
import { BATCH_LINES } from './recognition/lines';

export interface Slices {
  readonly detection: number;
  readonly recognition: number;
}

/** `cdk synth --context recognition=6` cuts into another number. */
const DEFAULT_SLICES: Slices = { detection: 2, recognition: 4 };

export class OcrStack extends Stack {
  private readonly detection: SlicedInferencePipeline;
  private readonly recognition: SlicedInferencePipeline;

  public constructor(app: App, id: string, { detection, recognition }: Slices = DEFAULT_SLICES) {
    super(app, id);
    this.detection = new SlicedInferencePipeline(this, 'Detection', {
      modelPath: DETECTION_MODEL,
      slicing: Slicing.count(detection),
      dimensions: {
        [DETECTION_DIMENSIONS.batch]: 1,
        [DETECTION_DIMENSIONS.height]: MAX_SIDE,
        [DETECTION_DIMENSIONS.width]: MAX_SIDE,
      },
      architecture: ARCHITECTURE,
      removalPolicy: RemovalPolicy.DESTROY,
      autoDeleteObjects: true,
    });
    this.recognition = new SlicedInferencePipeline(this, 'Recognition', {
      modelPath: RECOGNITION_MODEL,
      slicing: Slicing.count(recognition),
      // 640 pixels are wide enough for lines of about 60 characters.
      dimensions: { [RECOGNITION_DIMENSIONS.batch]: BATCH_LINES, [RECOGNITION_DIMENSIONS.width]: 640 },
      architecture: ARCHITECTURE,
      // One bucket has the photos and the tensors of both.
      bucket: this.detection.bucket,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const machine = this.readPhoto();
    nameForCommands(machine, 'ReadPhoto');
    nameForCommands(this.detection.stateMachine, 'Detection');
    nameForCommands(this.recognition.stateMachine, 'Recognition');
    const api = addHttpFront(this, machine);
    new CfnOutput(this, 'ReadPhotoArn', { value: machine.stateMachineArn });
    new CfnOutput(this, 'Url', { value: `${api.apiEndpoint}/read` });
    new CfnOutput(this, 'Bucket', { value: this.detection.bucket.bucketName });
  }

  private readPhoto(): sfn.StateMachine {
    return new sfn.StateMachine(this, 'ReadPhoto', {
      definitionBody: sfn.DefinitionBody.fromChainable(this.workflow()),
      stateMachineType: sfn.StateMachineType.EXPRESS,
      // The HTTP API waits 30 seconds. An answer later than that would reach nobody.
      timeout: Duration.seconds(29),
      tracingEnabled: true,
      // Without logs, nothing would remain of an Express execution that failed. Photos and texts are not logged.
      logs: { level: sfn.LogLevel.ERROR, includeExecutionData: false, destination: this.executionLogs() },
    });
  }

  /** A log group with this prefix needs no place in the account's resource policy of CloudWatch Logs. */
  private executionLogs(): logs.LogGroup {
    return new logs.LogGroup(this, 'ReadPhotoLogs', {
      logGroupName: `/aws/vendedlogs/states/${this.stackName}-ReadPhoto`,
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  /** Photo → detection → lines → recognition, in batches side by side → text. */
  private workflow(): sfn.IChainable {
    const input = '{% $states.context.Execution.Input %}';
    const prepare = this.task('Prepare photo', this.function('PreparePhoto', 'prepare-photo'), {
      payload: sfn.TaskInput.fromText(input),
    });
    const crop = this.task('Crop lines', this.cropFunction(), {
      payload: sfn.TaskInput.fromObject({ photo: input, detected: '{% $states.input %}' }),
      assign: { cropped: '{% $states.result.Payload %}', detected: '{% $states.input %}' },
    });
    const batches = sfn.Map.jsonata(this, 'Batches of lines', {
      items: sfn.ProvideItems.jsonata('{% [$cropped.batches.request] %}'),
    }).itemProcessor(this.recognition.asFragment(this, 'Recognize'));
    const read = this.task('Read text', this.readFunction(), {
      payload: sfn.TaskInput.fromObject({
        cropped: '{% $cropped %}',
        detected: '{% $detected %}',
        recognized: '{% $states.input %}',
      }),
    });
    return prepare.next(this.detection.asFragment(this, 'Detect')).next(crop).next(batches).next(read);
  }

  private task(
    name: string,
    lambdaFunction: lambda.IFunction,
    props: Pick<tasks.LambdaInvokeJsonataProps, 'payload' | 'assign'>,
  ): tasks.LambdaInvoke {
    return tasks.LambdaInvoke.jsonata(this, name, {
      lambdaFunction,
      outputs: '{% $states.result.Payload %}',
      ...props,
    });
  }

  /** A function that reads the photo and puts a request into S3. */
  private function(id: string, file: string): NodejsFunction {
    const fn = this.nodeFunction(id, file);
    allowRequests(this.detection, fn, PHOTOS_PREFIX);
    return fn;
  }

  /** It also reads the result of the detection. */
  private cropFunction(): NodejsFunction {
    const fn = this.function('CropLines', 'crop-lines');
    this.detection.grantReadOutputs(fn);
    return fn;
  }

  private readFunction(): NodejsFunction {
    const fn = this.nodeFunction('ReadText', 'read-text', WITH_ALPHABET);
    this.recognition.grantReadOutputs(fn);
    return fn;
  }

  private nodeFunction(id: string, file: string, commandHooks?: ICommandHooks): NodejsFunction {
    const fn = nodeFunction(this, id, file, commandHooks);
    fn.addEnvironment('SLICED_INFERENCE_BUCKET', this.detection.bucket.bucketName);
    return fn;
  }
}

/** So that `--pipeline` of the command line and the local cloud can name it. */
function nameForCommands(machine: sfn.StateMachine, logicalId: string): void {
  (machine.node.defaultChild as sfn.CfnStateMachine).overrideLogicalId(logicalId);
}

if (require.main === module) {
  const app = new App();
  const slices = (model: keyof Slices) => Number(app.node.tryGetContext(model) ?? DEFAULT_SLICES[model]);
  new OcrStack(app, 'SlicedOcr', {
    detection: slices('detection'),
    recognition: slices('recognition'),
  });
}
