/** Cuts models with independent parts, and runs the slices of these parts in parallel. */
import { Slicing } from '../../lib';
import { analyzeModel } from '../../lib/compile/analyze';
import { compileAnalyzed } from '../../lib/compile/compile';
import { scheduleSlices } from '../../lib/plan/schedule/schedule';
import { type Slicer, count, maxSliceSize } from '../../lib/plan/slicers';
import { type FailedInference, infer } from '../../local';
import { deploy } from '../support/deployed-pipeline';
import { analyzeFast } from '../support/inference/fast-analysis';
import { saveModel } from '../support/model-builder';
import { expectSameBits, runSlices, runWhole } from '../support/run-slices';
import { scheduleText } from '../support/scheduled-plan';
import { WIDTH, ensemble, row, twoRows, twoTowers } from '../support/towers';

analyzeFast();

const models = {
  'two towers': { file: saveModel({ graph: twoTowers() }), feeds: twoRows() },
  'an ensemble': { file: saveModel({ graph: ensemble(3) }), feeds: new Map([['x', row(3)]]) },
};

const WEIGHTS = WIDTH * WIDTH * 4;

test.each<[keyof typeof models, string, Slicer, string]>([
  // A slice for each tower would take a third longer than equal slices.
  ['two towers', 'three slices', count(3), '0 1 2'],
  ['two towers', 'five slices', count(5), '(0 1 | 2 3) 4'],
  // In parallel if that takes no more slices.
  ['two towers', 'slices of two weights', maxSliceSize(2 * WEIGHTS), '(0 1 | 2 3) 4'],
  ['two towers', 'slices of five weights', maxSliceSize(5 * WEIGHTS), '0 1'],
  ['an ensemble', 'five slices', count(5), '0 (1 | 2 | 3) 4'],
])('%s in %s: the schedule, and the same bits', async (name, _, slicer, schedule) => {
  const { file, feeds } = models[name];
  // Tensors of a few bytes would travel in the state, for which a chain is faster.
  const compiled = compileAnalyzed(analyzeModel(file, { costs: { tensorsInState: false } }), slicer);
  expect(scheduleText(scheduleSlices(compiled.plan))).toBe(schedule);
  expectSameBits(await runSlices(compiled, feeds), await runWhole(file, feeds));
});

test('a failed run names the slice of a branch that failed', async () => {
  const { file, feeds } = models['two towers'];
  const cloud = await deploy(file, {
    slicing: Slicing.count(5),
    // Node.js refuses this option, so that the function of a slice in a branch does not start.
    sliceFunctionOverrides: { 'slice-03': { environment: { NODE_OPTIONS: '--no-such-option' } } },
  });
  const result = await infer(cloud, feeds);
  expect(result).toMatchObject({ status: 'FAILED', error: 'Runtime.ExitError' });
  expect(JSON.parse((result as FailedInference).cause)).toMatchObject({ slice: 3 });
});
