/** Small pipelines that stand for others: chains and branches, Express and Standard, tensors in the state, keys, warm-ups, S3 Express. */
import * as path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import {
  CONTRACT_VERSION,
  encodeInlineTensor,
  encodeTensors,
  type ExecutionInput,
  type RawTensor,
  tensorFrom,
} from '../../client';
import {
  SlicedInferencePipeline,
  type SlicedInferencePipelineProps,
  Slicing,
  TensorStore,
  WarmUp,
} from '../../lib';
import {
  FLOAT,
  floats,
  type GraphInit,
  mlp,
  type ModelInit,
  node,
  saveModel,
  value,
} from '../support/model-builder';
import { shareZips } from '../support/share-zips';

export interface Example {
  readonly name: string;
  readonly assembly: string;
  readonly requests: readonly Request[];
}

/** A request whose tensors are in S3, or inline. */
export interface Request {
  readonly input: ExecutionInput;
  /** The request's object, if its tensors are in S3. */
  readonly object?: { readonly key: string; readonly body: Uint8Array };
}

const WIDTH = 64;
const ROWS = 32;
/** Of each pipeline; half of them are objects and half are inline. */
const REQUESTS = 8;

interface ExampleInit {
  readonly model: ModelInit;
  readonly inputs: readonly { readonly name: string; readonly rows: number }[];
  readonly props: (stack: Stack) => Partial<SlicedInferencePipelineProps>;
}

const EXAMPLES: Readonly<Record<string, ExampleInit>> = {
  'an Express chain of 4 slices with a key and warm-ups': {
    model: mlp(4, WIDTH),
    inputs: [{ name: 'x', rows: ROWS }],
    props: (stack) => ({
      slicing: Slicing.count(4),
      encryptionKey: new kms.Key(stack, 'Key'),
      warmUp: WarmUp.ALWAYS,
    }),
  },
  'a Standard pipeline with parallel branches': {
    model: { graph: twoTowers() },
    inputs: [
      { name: 'a_in', rows: 1 },
      { name: 'b_in', rows: 1 },
    ],
    props: () => ({ slicing: Slicing.count(5), stateMachineType: sfn.StateMachineType.STANDARD }),
  },
  'a Standard chain of 3 slices with S3 Express One Zone': {
    model: mlp(3, WIDTH),
    inputs: [{ name: 'x', rows: ROWS }],
    props: () => ({
      slicing: Slicing.count(3),
      stateMachineType: sfn.StateMachineType.STANDARD,
      tensorStore: TensorStore.s3ExpressOneZone('use1-az5'),
      tensorsInState: false,
    }),
  },
};

/** Two independent chains, whose nodes alternate, and a part that joins them. */
function twoTowers(): GraphInit {
  const tower = (name: string) =>
    [0, 1, 2, 3].flatMap((layer) => [
      node(
        'MatMul',
        [layer === 0 ? `${name}_in` : `${name}_t${layer - 1}`, `${name}_w${layer}`],
        [`${name}_m${layer}`],
      ),
      node('Tanh', [`${name}_m${layer}`], [`${name}_t${layer}`]),
    ]);
  const [a, b] = [tower('a'), tower('b')];
  const weights = ['a', 'b'].flatMap((name) => [0, 1, 2, 3].map((layer) => `${name}_w${layer}`));
  return {
    node: [
      ...a.flatMap((own, index) => [own, b[index]]),
      node('Mul', ['a_t3', 'b_t3'], ['joined']),
      node('MatMul', ['joined', 'head_w'], ['y']),
    ],
    initializer: [...weights, 'head_w'].map((name) => floats(name, [WIDTH, WIDTH])),
    input: ['a_in', 'b_in'].map((name) => value(name, FLOAT, [1, WIDTH])),
    output: [value('y', FLOAT)],
  };
}

/** How requests in S3 are written. A client that is not ours writes them without our checksums. */
export type Encoder = (tensors: ReadonlyMap<string, RawTensor>) => Uint8Array;

/** Synthesizes all examples into a folder. */
export function synthesizeExamples(folder: string, encode: Encoder = encodeTensors): Example[] {
  return Object.entries(EXAMPLES).map(([name, { model, inputs, props }], index) => {
    const modelPath = saveModel(model, `model-${index}.onnx`, folder);
    const app = new App({ outdir: path.join(folder, `cdk-${index}.out`), analyticsReporting: false });
    const stack = new Stack(app, 'Faults');
    new SlicedInferencePipeline(stack, 'Pipeline', {
      modelPath,
      architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
      ...props(stack),
    });
    const assembly = shareZips(app.synth().directory);
    return {
      name,
      assembly,
      requests: Array.from({ length: REQUESTS }, (_, at) => request(inputs, at, encode)),
    };
  });
}

function request(inputs: ExampleInit['inputs'], at: number, encode: Encoder): Request {
  const tensors = new Map<string, RawTensor>(
    inputs.map(({ name, rows }, input) => {
      const elements = Float32Array.from({ length: rows * WIDTH }, (_, index) =>
        Math.sin((index + 1) * (at + 1) + input),
      );
      return [name, tensorFrom('float32', [rows, WIDTH], elements)];
    }),
  );
  if (at % 2 === 0) {
    const key = `inputs/request-${at}.safetensors`;
    return {
      input: { version: CONTRACT_VERSION, inputs: { s3: key } },
      object: { key, body: encode(tensors) },
    };
  }
  const inline = Object.fromEntries([...tensors].map(([name, tensor]) => [name, encodeInlineTensor(tensor)]));
  return { input: { version: CONTRACT_VERSION, inputs: { tensors: inline } } };
}

/** Encodes tensors without the metadata that holds their checksums, as other programs do. */
export function encodeWithoutChecksums(tensors: ReadonlyMap<string, RawTensor>): Uint8Array {
  const file = Buffer.from(encodeTensors(tensors));
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as Record<string, unknown>;
  delete header.__metadata__;
  file.write(JSON.stringify(header).padEnd(length), 8);
  return file;
}
