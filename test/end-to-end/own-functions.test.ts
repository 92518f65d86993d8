/** Runs the user's own functions before and after the slices, plain ones and those that the package's helpers make. */
import * as path from 'node:path';
import { buildSync, type BuildOptions } from 'esbuild';
import type { Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { decodeInlineTensor, elementsOf, type InlineTensor, type NumericTensor } from '../../client';
import { Slicing } from '../../lib';
import type { LocalCloud } from '../../local';
import { clientOf } from '../support/client-of-cloud';
import {
  ARCHITECTURE,
  failed,
  start,
  succeeded,
  synthesize,
  userFunction,
} from '../support/deployed-pipeline';
import { mlp, saveModel, temporaryFolder } from '../support/model-builder';
import { runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';

const handler = (body: string): string => `exports.handler = async (event) => { ${body} };`;

const PREPROCESS = handler(`
  if (event.text === 'throw') throw new TypeError('no such text');
  if (event.text === 'nothing') return;
  if (event.text === 'a list') return [];
  const data = Array.from({ length: 16 }, (_, at) => event.text.charCodeAt(at % event.text.length) / 256);
  return { version: 1, inputs: { tensors: { x: { dtype: 'float32', shape: [1, 16], data } } } };`);

const POSTPROCESS = handler(`return { y: event.outputs.tensors.y, slices: event.timings.length };`);

const model = saveModel(mlp(4));
const props = { slicing: Slicing.count(2), dimensions: { batch: 1 } };

describe('preprocess and postprocess', () => {
  let cloud: LocalCloud;
  beforeAll(async () => {
    cloud = await start(
      synthesize(model, (stack) => ({
        ...props,
        preprocess: userFunction(stack, 'Before', PREPROCESS),
        postprocess: userFunction(stack, 'After', POSTPROCESS),
      })),
    );
  });

  test('turn any input into a request, and the results into any output', async () => {
    const output = succeeded(await cloud.execute({ text: 'a line of text' })) as unknown as {
      y: InlineTensor;
      slices: number;
    };
    const x = Array.from({ length: 16 }, (_, at) => 'a line of text'.charCodeAt(at % 14) / 256);
    const expected = await runWhole(model, new Map([['x', float32([1, 16], x)]]));
    expect(decodeInlineTensor('y', output.y)).toEqual(expected.get('y'));
    expect(output.slices).toBe(2);
  });

  const noRequest = (got: string) => ({
    step: 'preprocess',
    message: expect.stringContaining(
      `the preprocess function must return a request, got ${got}: await its work, and return an object`,
    ) as string,
  });

  test.each<[text: string, error: string, cause: object]>([
    ['throw', 'TypeError', { step: 'preprocess', message: 'no such text' }],
    ['nothing', 'States.QueryEvaluationError', noRequest('null')],
    ['a list', 'States.QueryEvaluationError', noRequest('array')],
    // The request is checked as without them.
    ['', 'InvalidInput', { slice: 0 }],
  ])('fail the run for the text %j with %s', async (text, error, cause) => {
    expect(failed(await cloud.execute({ text }))).toMatchObject({ error, cause });
  });
});

test('preprocess works without postprocess, and is blamed by a Standard execution too', async () => {
  const cloud = await start(
    synthesize(model, (stack) => ({
      ...{ ...props, stateMachineType: sfn.StateMachineType.STANDARD },
      preprocess: userFunction(stack, 'Before', PREPROCESS),
    })),
  );
  await expect(clientOf(cloud).invoke({ text: 'nothing' })).rejects.toMatchObject({
    name: 'States.QueryEvaluationError',
    message: expect.stringContaining('preprocess function must return a request') as string,
  });
  const { outputs } = succeeded(await cloud.execute({ text: 'x' }));
  expect(Object.keys(outputs.tensors ?? {})).toEqual(['y']);
});

/** Rows of 16 numbers from the number of rows. More than a few thousand rows do not fit into a request. */
const WITH_HELPERS = {
  preprocess: `preprocessHandler(({ rows }) => {
    return { x: { shape: [rows, 16], data: new Float32Array(rows * 16).fill(0.5) } };
  });`,
  postprocess: `postprocessHandler(({ y }) => {
    return { rows: y.shape[0], last: Array.from(y.data.slice(-y.shape[1])) };
  });`,
};

const HELPERS = '{ preprocessHandler, postprocessHandler }';
const SOURCES = JSON.stringify(path.join(__dirname, '../../client'));

function bundled(stack: Stack, step: keyof typeof WITH_HELPERS, format: 'cjs' | 'esm'): lambda.Function {
  const folder = temporaryFolder();
  const contents = {
    cjs: `const ${HELPERS} = require(${SOURCES});\nexports.handler = ${WITH_HELPERS[step]}`,
    esm: `import ${HELPERS} from 'cdk-sliced-inference/client';\nexport const handler = ${WITH_HELPERS[step]}`,
  };
  const options: BuildOptions = { bundle: true, platform: 'node', target: 'node20', logLevel: 'error' };
  buildSync({
    ...options,
    ...{ stdin: { contents: contents[format], resolveDir: __dirname }, format },
    outfile: path.join(folder, format === 'cjs' ? 'index.js' : 'index.mjs'),
    // Without the paths of this repository, which lead from the package's name to the sources.
    tsconfigRaw: '{}',
  });
  return new lambda.Function(stack, step, {
    code: lambda.Code.fromAsset(folder),
    handler: 'index.handler',
    memorySize: 512,
    runtime: lambda.Runtime.NODEJS_22_X,
    architecture: ARCHITECTURE,
  });
}

test.each([
  ['CommonJS, from the sources', 'cjs'],
  ['an ES module, from the package', 'esm'],
] as const)(
  'handlers of the helpers, bundled as %s, pass tensors on, inline or through S3, by permissions of the construct',
  async (_, format) => {
    const functions: lambda.Function[] = [];
    const assembly = synthesize(
      model,
      (stack) => {
        const [preprocess, postprocess] = (['preprocess', 'postprocess'] as const).map((step) =>
          bundled(stack, step, format),
        );
        functions.push(preprocess, postprocess);
        return { ...props, preprocess, postprocess };
      },
      {
        use: (__, pipeline) => {
          const [before, after] = functions;
          before.addEnvironment('SLICED_INFERENCE_BUCKET', pipeline.bucket.bucketName);
          pipeline.grantWriteInputs(before);
          pipeline.grantReadOutputs(after);
        },
      },
    );
    const cloud = await start(assembly);
    for (const rows of [1, 10_000]) {
      const { output } = await clientOf(cloud).invoke({ rows });
      const x = float32([rows, 16], Array<number>(16 * rows).fill(0.5));
      const y = (await runWhole(model, new Map([['x', x]]))).get('y') as NumericTensor;
      const last = Array.from((elementsOf(y) as Float32Array).slice(-y.shape[1]));
      expect(output).toEqual({ rows, last });
    }
  },
);
