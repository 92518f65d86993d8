/** The construct as a whole: validation of props, warnings, grants and its place in an app. `test/lib/aws` covers the resources. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Annotations, Duration, Lazy, Stack, Stage } from 'aws-cdk-lib';
import { Annotations as Found, Match } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import {
  type SlicedInferencePipelineProps,
  SlicedInferencePipeline,
  Slicing,
  TensorStore,
} from '../../../lib';
import {
  MLP_PATH,
  addPipeline,
  errorOf,
  newApp,
  newStack,
  pipelineStack,
  shortTemplate,
} from '../../support/pipeline-stack';
import { FLOAT, INT64, mlp, node, saveModel, temporaryFolder, value } from '../../support/model-builder';

/** Returns the message of the error that the construct throws for the props. */
function refusal(
  props: Partial<SlicedInferencePipelineProps> | ((stack: Stack) => Partial<SlicedInferencePipelineProps>),
): string {
  return errorOf(() => pipelineStack(props));
}

describe('modelPath', () => {
  test('may be relative to the working directory', () => {
    const modelPath = path.relative(process.cwd(), MLP_PATH);
    expect(path.isAbsolute(modelPath)).toBe(false);
    expect(pipelineStack({ modelPath }).pipeline.functions).toHaveLength(1);
  });

  test('cannot be a token', () => {
    expect(refusal({ modelPath: Lazy.string({ produce: () => MLP_PATH }) })).toBe(
      'modelPath must be a path that is known at synth time, got a CDK token: pass the path of a file on this machine',
    );
  });

  test('must be the path of a file', () => {
    expect(refusal({ modelPath: '/nowhere/model.onnx' })).toBe(
      "model '/nowhere/model.onnx' must be an ONNX file, got no such file or folder: check the path",
    );
    const folder = temporaryFolder();
    expect(refusal({ modelPath: folder })).toBe(
      `model '${folder}' must be an ONNX file, got a folder: pass the path of the .onnx file`,
    );
  });

  test('cannot be the path of a Git LFS pointer', () => {
    const pointer = Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n');
    const modelPath = saveModel(pointer);
    expect(refusal({ modelPath })).toBe(
      `model '${modelPath}' must be an ONNX file, got a Git LFS pointer to one: run \`git lfs pull\` in its repository`,
    );
  });
});

describe('dimensions', () => {
  test('must be dimensions of the model', () => {
    expect(refusal({ dimensions: { batsh: 1 } })).toBe(
      "a dimension must be a symbolic dimension of the model's inputs (batch), got 'batsh': use one of these names",
    );
  });

  test.each([[0], [-1], [1.5], [Number.NaN]])('cannot have size %d', (batch) => {
    expect(refusal({ dimensions: { batch } })).toBe(
      `the size of dimension 'batch' must be a whole number from 1 to 2147483647, got ${batch}: use the size that requests will have`,
    );
  });
});

describe('props with a fixed set of values', () => {
  test('architecture accepts a custom Architecture with a known name', () => {
    const hashes = [lambda.Architecture.ARM_64, lambda.Architecture.custom('arm64')].map((architecture) =>
      JSON.stringify(pipelineStack({ architecture }).resource('Pipeline/slice-00/Function').Code),
    );
    expect(hashes[0]).toBe(hashes[1]);
  });

  test('runtime accepts a name that is known only at deployment', () => {
    const name = Lazy.string({ produce: () => 'nodejs24.x' });
    pipelineStack({ runtime: new lambda.Runtime(name, lambda.RuntimeFamily.NODEJS) });
  });
});

test('encryptionKey cannot be combined with bucket', () => {
  const both = (stack: Stack): Partial<SlicedInferencePipelineProps> => ({
    bucket: new s3.Bucket(stack, 'Mine'),
    encryptionKey: new kms.Key(stack, 'Key'),
  });
  expect(refusal(both)).toBe(
    'encryptionKey cannot be combined with bucket, got both: ' +
      'set the key of your bucket instead, and leave this prop out',
  );
});

describe('timeout', () => {
  test('of an Express state machine must be five minutes or less', () => {
    const message = (got: string): string =>
      `the timeout of an Express state machine must be at most 5 minutes, got ${got}: ` +
      'shorten it or set stateMachineType to STANDARD';
    expect(refusal({ timeout: Duration.minutes(6) })).toBe(message('6 minutes'));
    expect(refusal({ timeout: Duration.seconds(301) })).toBe(message('5 minutes 1 second'));
    expect(refusal({ timeout: Duration.hours(1), stateMachineType: sfn.StateMachineType.EXPRESS })).toBe(
      message('1 hour'),
    );
  });

  test('must be 1 second or more', () => {
    expect(refusal({ timeout: Duration.seconds(0) })).toBe(
      'timeout must be 1 second or more, got 0 seconds: use a longer timeout',
    );
  });

  test('may be five minutes, or a token', () => {
    pipelineStack({ timeout: Duration.minutes(5) });
    pipelineStack({ timeout: Duration.seconds(Lazy.number({ produce: () => 60 })) });
  });
});

describe('warnings', () => {
  const ASSUMED = 'cdk-sliced-inference:assumedDimensions';
  const LITTLE = 'cdk-sliced-inference:littleMemory';

  /** Returns the warnings of a stack with one pipeline. The warnings `acknowledged` are acknowledged on the pipeline. */
  function warnings(props: Partial<SlicedInferencePipelineProps>, acknowledged: string[] = []): string[] {
    const stack = newStack();
    const pipeline = addPipeline(stack, 'Pipeline', props);
    for (const id of acknowledged) Annotations.of(pipeline).acknowledgeWarning(id, 'known');
    return Found.fromStack(stack)
      .findWarning('*', Match.anyValue())
      .map(({ id, entry }) => `${id}: ${entry.data as string}`);
  }

  const assumed =
    '/Stack/Pipeline: memory and cuts are planned with assumed sizes, batch=1: ' +
    `set dimensions to the sizes of your requests [ack: ${ASSUMED}]`;
  const little =
    '/Stack/Pipeline: the function of slice-00 has 256 MB of memory, and the plan estimates that it needs 512 MB: raise its memorySize ' +
    `[ack: ${LITTLE}]`;

  test('do not occur if dimensions and enough memory are set', () => {
    expect(warnings({ dimensions: { batch: 8 }, sliceFunctions: { memorySize: 512 } })).toEqual([]);
  });

  test('name the dimensions that were assumed', () => {
    expect(warnings({ dimensions: {} })).toEqual([assumed]);
  });

  test('name the tensors whose sizes depend on data', () => {
    const graph = {
      node: [node('NonZero', ['x'], ['places']), node('Identity', ['places'], ['y'])],
      input: [value('x', FLOAT, [4])],
      output: [value('y', INT64)],
    };
    expect(warnings({ modelPath: saveModel({ graph }), slicing: Slicing.count(1) })).toEqual([
      "/Stack/Pipeline: sizes of tensors depend on data, and memory and cuts are planned with estimates for 'places': " +
        "compare the memory that runs use with the functions' memory [ack: cdk-sliced-inference:boundedTensors]",
    ]);
  });

  test('occur if a function has less memory than the plan estimates', () => {
    expect(warnings({ sliceFunctions: { memorySize: 256 } })).toEqual([little]);
  });

  test('do not occur for a memory size that is known only at deployment', () => {
    expect(warnings({ sliceFunctions: { memorySize: Lazy.number({ produce: () => 256 }) } })).toEqual([]);
  });

  test('can be acknowledged one by one', () => {
    const props = { dimensions: {}, sliceFunctions: { memorySize: 256 } };
    expect(warnings(props)).toEqual([assumed, little]);
    expect(warnings(props, [ASSUMED])).toEqual([little]);
    expect(warnings(props, [LITTLE])).toEqual([assumed]);
    expect(warnings(props, [ASSUMED, LITTLE])).toEqual([]);
  });
});

describe('grantInvoke', () => {
  /** Returns the permissions of a caller, one line per statement. */
  function granted(
    props: Parameters<typeof pipelineStack>[0],
    grantee: (stack: Stack) => iam.IGrantable = (stack) => new iam.User(stack, 'Caller'),
  ): string[] {
    const { resource } = pipelineStack(props, (pipeline, stack) => {
      const grant = pipeline.grantInvoke(grantee(stack));
      expect(grant.success).toBe(true);
    });
    const { PolicyDocument } = resource('Caller/DefaultPolicy') as {
      PolicyDocument: { Statement: { Action: string | string[]; Effect: string; Resource: string }[] };
    };
    return PolicyDocument.Statement.map(
      ({ Action, Effect, Resource }) => `${Effect} ${[Action].flat().join(', ')} on ${Resource}`,
    );
  }

  const objects = (bucket: string): string[] => [
    `Allow s3:PutObject on {${bucket}.Arn}/inputs/*`,
    `Allow s3:GetObject on {${bucket}.Arn}/outputs/*`,
  ];

  test('of an Express state machine allows StartExecution and StartSyncExecution', () => {
    expect(granted({})).toEqual([
      'Allow states:StartExecution, states:StartSyncExecution, states:DescribeStateMachine on {Pipeline/StateMachine}',
      ...objects('Pipeline/Bucket'),
    ]);
  });

  test('of a Standard state machine allows StartExecution, and to follow and stop its executions', () => {
    const rights = granted({ stateMachineType: sfn.StateMachineType.STANDARD });
    expect(rights.toSorted()).toEqual(
      [
        'Allow states:StartExecution, states:DescribeStateMachine on {Pipeline/StateMachine}',
        'Allow states:DescribeExecution, states:GetExecutionHistory, states:StopExecution on ' +
          'arn:{AWS::Partition}:states:{AWS::Region}:{AWS::AccountId}:execution:' +
          'split({Pipeline/StateMachine}, :)[6]:*',
        ...objects('Pipeline/Bucket'),
      ].toSorted(),
    );
  });

  test('allows use of the encryption key', () => {
    expect(granted((stack) => ({ encryptionKey: new kms.Key(stack, 'Key') }))).toEqual([
      'Allow states:StartExecution, states:StartSyncExecution, states:DescribeStateMachine on {Pipeline/StateMachine}',
      ...objects('Pipeline/Bucket'),
      'Allow kms:Decrypt, kms:GenerateDataKey on {Key.Arn}',
    ]);
  });

  test("allows access to the user's bucket", () => {
    expect(granted((stack) => ({ bucket: new s3.Bucket(stack, 'Mine') })).slice(1)).toEqual(objects('Mine'));
  });

  test('does not change the permissions of the slice functions', () => {
    const before = pipelineStack().resource('Pipeline/slice-00/Role/Policy');
    const after = pipelineStack({}, (pipeline, stack) => {
      pipeline.grantInvoke(new iam.User(stack, 'Caller'));
    }).resource('Pipeline/slice-00/Role/Policy');
    expect(after).toEqual(before);
  });
});

describe('in an app', () => {
  test('a pipeline can be in a stack of a stage', () => {
    const stage = new Stage(newApp(), 'Production');
    const stack = new Stack(stage, 'Inference');
    addPipeline(stack, 'Pipeline', { slicing: Slicing.count(2) });
    const { directory } = stage.synth();
    const assets = fs.readdirSync(directory).find((file) => file.endsWith('.assets.json'));
    expect(assets).toBeDefined();
    expect(Object.keys(shortTemplate(stack).resources('AWS::Lambda::Function'))).toHaveLength(2);
  });

  test('two pipelines of one model share no resources', () => {
    const stack = newStack();
    addPipeline(stack, 'One', { slicing: Slicing.count(3) });
    addPipeline(stack, 'Two', { slicing: Slicing.count(3) });
    const { resources } = shortTemplate(stack);
    const functions = Object.values(resources('AWS::Lambda::Function'));
    expect(functions).toHaveLength(6);
    expect(Object.keys(resources('AWS::S3::Bucket'))).toEqual(['One/Bucket', 'Two/Bucket']);
    expect(Object.keys(resources('AWS::StepFunctions::StateMachine'))).toEqual([
      'One/StateMachine',
      'Two/StateMachine',
    ]);
  });

  test('a pipeline that throws leaves no functions in the stack', () => {
    const stack = newStack();
    expect(() => addPipeline(stack, 'Pipeline', { slicing: Slicing.count(1000) })).toThrow(
      'the model can be cut into at most 12 slices, got 1000 slices for its 12 nodes: use fewer slices',
    );
    expect(shortTemplate(stack).template.findResources('AWS::Lambda::Function')).toEqual({});
  });

  test('a pipeline needs no prop but modelPath', () => {
    const stack = newStack();
    const pipeline = new SlicedInferencePipeline(stack, 'Ocr', { modelPath: saveModel(mlp(2)) });
    expect(pipeline.stateMachine.node.path).toBe('Stack/Ocr/StateMachine');
    expect(pipeline.bucket.node.path).toBe('Stack/Ocr/Bucket');
    expect(pipeline.functions.map(({ node }) => node.path)).toEqual(['Stack/Ocr/slice-00/Function']);
  });
});

describe('runtime', () => {
  // CDK has no constants for the newest ones. The last is a runtime of the future.
  test.each(['nodejs20.x', 'nodejs22.x', 'nodejs24.x', 'nodejs26.x', 'nodejs28.x', 'nodejs100.x'])(
    'can be %s',
    (name) => {
      const runtime = new lambda.Runtime(name, lambda.RuntimeFamily.NODEJS);
      const { resources } = pipelineStack({ runtime, slicing: Slicing.count(2) });
      const functions = Object.values(resources('AWS::Lambda::Function'));
      expect(functions.map(({ Runtime }) => Runtime)).toEqual([name, name]);
    },
  );

  test.each([
    ['python3.12', lambda.Runtime.PYTHON_3_12],
    ['provided.al2023', lambda.Runtime.PROVIDED_AL2023],
    ['nodejs', new lambda.Runtime('nodejs', lambda.RuntimeFamily.NODEJS)],
    ['nodejs4.3', new lambda.Runtime('nodejs4.3', lambda.RuntimeFamily.NODEJS)],
    ['nodejs18.x', new lambda.Runtime('nodejs18.x', lambda.RuntimeFamily.NODEJS)],
  ])('cannot be %s', (name, runtime) => {
    expect(refusal({ runtime })).toBe(
      `runtime must be Node.js 20 or newer, got ${name}: leave it out, or choose a newer Node.js`,
    );
  });
});

describe('the deployment digest', () => {
  function digestOf(props: Partial<SlicedInferencePipelineProps>): unknown {
    const [{ Properties }] = Object.values(
      pipelineStack(props).template.findResources('AWS::Lambda::Function'),
    ) as { Properties: { Environment: { Variables: Record<string, unknown> } } }[];
    return Properties.Environment.Variables.SLICE_DEPLOYMENT_DIGEST;
  }

  test('changes with every setting that results depend on, and not with memory that keeps the thread count', () => {
    const base = digestOf({});
    expect(digestOf({})).toBe(base);
    expect(digestOf({ sliceFunctions: { memorySize: 1000 } })).toBe(base);
    const others = [
      digestOf({ sliceFunctions: { memorySize: 4000 } }), // more threads
      digestOf({ architecture: lambda.Architecture.ARM_64 }),
      digestOf({ slicing: Slicing.count(2) }),
      digestOf({ float16Transport: true }),
      digestOf({ tensorStore: TensorStore.s3ExpressOneZone('use1-az5') }),
    ];
    expect(new Set([base, ...others]).size).toBe(6);
  });
});
