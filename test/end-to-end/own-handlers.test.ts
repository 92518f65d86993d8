/** Runs handlers that the package's helpers made before and after the slices, with the permissions that the construct grants. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { buildSync } from 'esbuild';
import type { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { elementsOf, type NumericTensor } from '../../client';
import { Slicing } from '../../lib';
import type { LocalCloud } from '../../local';
import { clientOf } from '../support/client-of-cloud';
import { start, synthesize } from '../support/deployed-pipeline';
import { mlp, saveModel, temporaryFolder } from '../support/model-builder';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';

const CLIENT = path.join(__dirname, '../../client');

/** Rows of 16 numbers from the number of rows. More than a few thousand rows do not fit into a request. */
const PREPROCESS = `exports.handler = preprocessHandler(({ rows }) => {
  if (rows === 'typo') return { x: [rows] };
  return { x: { shape: [rows, 16], data: new Float32Array(rows * 16).fill(0.5) } };
});`;

const POSTPROCESS = `exports.handler = postprocessHandler(({ y }) => {
  if (y.shape[0] === 3) return y.data;
  return { rows: y.shape[0], last: Array.from(y.data.slice(-y.shape[1])) };
});`;

function own(stack: Stack, id: string, code: string): lambda.Function {
  const folder = temporaryFolder();
  buildSync({
    stdin: {
      contents: `const { preprocessHandler, postprocessHandler } = require(${JSON.stringify(CLIENT)});\n${code}`,
      resolveDir: __dirname,
    },
    outfile: path.join(folder, 'index.js'),
    ...{ bundle: true, platform: 'node', target: 'node20', format: 'cjs', logLevel: 'error' },
  });
  expect(fs.existsSync(path.join(folder, 'index.js'))).toBe(true);
  return new lambda.Function(stack, id, {
    code: lambda.Code.fromAsset(folder),
    handler: 'index.handler',
    memorySize: 512,
    runtime: lambda.Runtime.NODEJS_22_X,
    architecture: process.arch === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
  });
}

const model = saveModel(mlp(4));

function assembly(stateMachineType: sfn.StateMachineType): string {
  const functions: lambda.Function[] = [];
  return synthesize(
    model,
    (stack) => {
      const [preprocess, postprocess] = [own(stack, 'Before', PREPROCESS), own(stack, 'After', POSTPROCESS)];
      functions.push(preprocess, postprocess);
      const common = { slicing: Slicing.count(2), dimensions: { batch: 1 }, stateMachineType };
      return { ...common, preprocess, postprocess };
    },
    {
      use: (_, pipeline) => {
        const [before, after] = functions;
        before.addEnvironment('SLICED_INFERENCE_BUCKET', pipeline.bucket.bucketName);
        pipeline.grantWriteInputs(before);
        pipeline.grantReadOutputs(after);
      },
    },
  );
}

describe.each([sfn.StateMachineType.EXPRESS, sfn.StateMachineType.STANDARD])(
  'handlers around the slices of a pipeline of type %s',
  (type) => {
    let cloud: LocalCloud;
    beforeAll(async () => {
      cloud = await start(assembly(type));
    });

    test.each([1, 10_000])('pass %i rows on, inline or through S3', async (rows) => {
      const { output } = await clientOf(cloud).invoke({ rows });
      const x = float32([rows, 16], Array<number>(16 * rows).fill(0.5));
      const y = (await runWhole(model, new Map([['x', x]]))).get('y') as NumericTensor;
      const last = Array.from((elementsOf(y) as Float32Array).slice(-y.shape[1]));
      expect(output).toEqual({ rows, last });
    });

    test.each([
      ['preprocess', 'typo', 'InvalidInput', "input 'x' must be a tensor { shape, data }"],
      ['postprocess', 3, 'InvalidOutput', 'the function must return JSON, got a Float32Array'],
    ])('name %s if it returns a bad value', async (step, rows, name, message) => {
      const failure = clientOf(cloud).invoke({ rows });
      await expect(failure).rejects.toMatchObject({
        ...{ name, step },
        message: expect.stringContaining(message) as string,
      });
    });
  },
);
