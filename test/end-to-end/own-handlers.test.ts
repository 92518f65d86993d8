/**
 * Runs handlers that the package's helpers made before and after the slices, with the permissions that the construct grants. Bundled as
 * CommonJS from the sources, and as ES modules from the package.
 */
import * as path from 'node:path';
import { buildSync, type BuildOptions } from 'esbuild';
import type { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { elementsOf, type NumericTensor } from '../../client';
import { Slicing } from '../../lib';
import type { LocalCloud } from '../../local';
import { clientOf } from '../support/client-of-cloud';
import { ARCHITECTURE, start, synthesize } from '../support/deployed-pipeline';
import { mlp, saveModel, temporaryFolder } from '../support/model-builder';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';
import { cases } from '../support/full-checks';

const CLIENT = path.join(__dirname, '../../client');

/** Rows of 16 numbers from the number of rows. More than a few thousand rows do not fit into a request. */
const PREPROCESS = `preprocessHandler(({ rows }) => {
  if (rows === 'typo') return { x: [rows] };
  return { x: { shape: [rows, 16], data: new Float32Array(rows * 16).fill(0.5) } };
});`;

const POSTPROCESS = `postprocessHandler(({ y }) => {
  if (y.shape[0] === 3) return y.data;
  return { rows: y.shape[0], last: Array.from(y.data.slice(-y.shape[1])) };
});`;

const HELPERS = '{ preprocessHandler, postprocessHandler }';

interface Bundle {
  /** The module of a function from the expression of its handler. */
  readonly contents: (handler: string) => string;
  readonly options: BuildOptions;
}

const ofModules = (options: BuildOptions): Bundle => ({
  contents: (handler) =>
    `import ${HELPERS} from 'cdk-sliced-inference/client';\nexport const handler = ${handler}`,
  options: { format: 'esm', ...options },
});

const BUNDLES: Readonly<Record<string, Bundle>> = {
  'CommonJS, from the sources': {
    contents: (handler) =>
      `const ${HELPERS} = require(${JSON.stringify(CLIENT)});\nexports.handler = ${handler}`,
    options: { format: 'cjs' },
  },
  'an ES module with the CommonJS files of the SDK': ofModules({}),
  'an ES module with the ES modules of the SDK': ofModules({ mainFields: ['module', 'main'] }),
  'an ES module without the SDK': ofModules({ external: ['@aws-sdk/*', '@smithy/*'] }),
};

function own(stack: Stack, id: string, handler: string, { contents, options }: Bundle): lambda.Function {
  const folder = temporaryFolder();
  const outfile = path.join(folder, options.format === 'cjs' ? 'index.js' : 'index.mjs');
  buildSync({
    stdin: { contents: contents(handler), resolveDir: __dirname },
    outfile,
    ...{ bundle: true, platform: 'node', target: 'node20', logLevel: 'error' },
    // Without the paths of this repository, which lead from the package's name to the sources.
    tsconfigRaw: '{}',
    ...options,
  });
  return new lambda.Function(stack, id, {
    code: lambda.Code.fromAsset(folder),
    handler: 'index.handler',
    memorySize: 512,
    runtime: lambda.Runtime.NODEJS_22_X,
    architecture: ARCHITECTURE,
  });
}

const model = saveModel(mlp(4));

function assembly(stateMachineType: sfn.StateMachineType, bundle: Bundle): string {
  const functions: lambda.Function[] = [];
  return synthesize(
    model,
    (stack) => {
      const preprocess = own(stack, 'Before', PREPROCESS, bundle);
      const postprocess = own(stack, 'After', POSTPROCESS, bundle);
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

const { EXPRESS, STANDARD } = sfn.StateMachineType;

describe.each([
  ...Object.keys(BUNDLES)
    .slice(0, cases(2, 4))
    .map((bundle): [string, sfn.StateMachineType] => [bundle, EXPRESS]),
  [Object.keys(BUNDLES)[0], STANDARD],
] as const)('handlers, bundled as %s, around the slices of a pipeline of type %s', (bundle, type) => {
  let cloud: LocalCloud;
  beforeAll(async () => {
    cloud = await start(assembly(type, BUNDLES[bundle]));
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
});
