/** Planned times against what was measured on a core of the class of Lambda's processors. `npm run bench:times` prints all of it. */
import * as path from 'node:path';
import { writeOperator } from '../../../bench/times/operators';
import { corpusModels, referenceModels } from '../../../bench/times/reference-models';
import { tableRows } from '../../../bench/times/table';
import { analyzeModel } from '../../../lib/compile/analyze';
import { analyzeFast } from '../../support/inference/fast-analysis';
import { temporaryFolder } from '../../support/temporary-folder';

analyzeFast();

function plannedMs(file: string, prepacking: boolean, dimensions: Readonly<Record<string, number>> = {}) {
  const { cuts } = analyzeModel(file, { dimensions, costs: { prepacking } });
  return 1000 * cuts.costs.work.reduce((sum, seconds) => sum + seconds, 0);
}

it('nine of ten operators are planned within 0.67 to 1.5 of their time', () => {
  const folder = temporaryFolder();
  // Each kind of operator has neighbors in the table, so every fifth row is enough.
  const rows = tableRows().filter((_, index) => index % 5 === 0);
  const ratios = rows.map(({ operator, shape, prepacking, referenceMs }, index) => {
    const file = path.join(folder, `${index}.onnx`);
    writeOperator(file, operator, shape);
    return plannedMs(file, prepacking) / referenceMs;
  });
  const good = ratios.filter((ratio) => ratio >= 0.67 && ratio <= 1.5);
  expect(rows.length).toBeGreaterThan(60);
  expect(good.length / ratios.length).toBeGreaterThanOrEqual(0.9);
});

it('whole models are planned within 0.8 to 1.25 of their time', () => {
  const corpus = process.env.SLICED_INFERENCE_CORPUS;
  const models = [
    ...referenceModels(temporaryFolder()),
    // MiniLM computes its weights in each run, so that prepacking changes nothing: the longer of its two times (74 and 64 ms) is noise.
    ...(corpus === undefined ? [] : corpusModels(corpus).filter(({ prepacking }) => prepacking)),
  ];
  const wrong = models.flatMap(({ name, file, dimensions, prepacking, referenceMs }) => {
    const ratio = plannedMs(file, prepacking, dimensions) / referenceMs;
    return ratio >= 0.8 && ratio <= 1.25 ? [] : [`${name} ${JSON.stringify(dimensions)}: ${ratio}`];
  });
  expect(models.length).toBeGreaterThan(15);
  expect(wrong).toEqual([]);
});
