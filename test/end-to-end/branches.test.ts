/** Cuts models with independent parts, and runs the slices of these parts in parallel. */
import * as fs from 'node:fs';
import { Slicing } from '../../lib';
import { analyzeModel } from '../../lib/compile/analyze';
import { compileAnalyzed } from '../../lib/compile/compile';
import type { SlicePlan } from '../../lib/plan/file/plan';
import { scheduleSlices, type ScheduledPlan } from '../../lib/plan/schedule/schedule';
import { type Slicer, count, maxSliceSize } from '../../lib/plan/slicers';
import { type TraceEvent, type FailedInference, infer } from '../../local';
import { runAsWhole, start, synthesize, trace } from '../support/deployed-pipeline';
import { analyzeFast } from '../support/inference/fast-analysis';
import { type GraphInit, FLOAT, saveModel, value } from '../support/model-builder';
import { expectSameBits, runSlices, runWhole } from '../support/run-slices';
import { scheduleText } from '../support/scheduled-plan';
import { WIDTH, ensemble, row, tower, twoRows, twoTowers } from '../support/towers';

analyzeFast();

function chain(): GraphInit {
  const { nodes, weights } = tower('c', 8, 'x', 'y');
  const input = [value('x', FLOAT, [1, WIDTH])];
  return { node: nodes, initializer: weights, input, output: [value('y', FLOAT)] };
}

const models = {
  'two towers': { file: saveModel({ graph: twoTowers() }), feeds: twoRows() },
  'an ensemble': { file: saveModel({ graph: ensemble(3) }), feeds: new Map([['x', row(3)]]) },
  'a chain': { file: saveModel({ graph: chain() }), feeds: new Map([['x', row(3)]]) },
};
const analyzed = new Map(Object.values(models).map(({ file }) => [file, analyzeModel(file)]));

const scheduleOf = (plan: ScheduledPlan): string => scheduleText(scheduleSlices(plan));
const WEIGHTS = WIDTH * WIDTH * 4;

test.each<[keyof typeof models, string, Slicer, string]>([
  ['two towers', 'two slices', count(2), '0 1'],
  // A slice for each tower would take a third longer than equal slices.
  ['two towers', 'three slices', count(3), '0 1 2'],
  ['two towers', 'five slices', count(5), '(0 1 | 2 3) 4'],
  // In parallel if that takes no more slices.
  ['two towers', 'slices of two weights', maxSliceSize(2 * WEIGHTS), '(0 1 | 2 3) 4'],
  ['two towers', 'slices of five weights', maxSliceSize(5 * WEIGHTS), '0 1'],
  ['an ensemble', 'four slices', count(4), '0 (1 | 2) 3'],
  ['an ensemble', 'five slices', count(5), '0 (1 | 2 | 3) 4'],
  ['a chain', 'four slices', count(4), '0 1 2 3'],
])('%s in %s: the schedule, and the same bits', async (name, _, slicer, schedule) => {
  const { file, feeds } = models[name];
  const compiled = compileAnalyzed(analyzed.get(file) ?? analyzeModel(file), slicer);
  expect(scheduleOf(compiled.plan)).toBe(schedule);
  expectSameBits(await runSlices(compiled, feeds), await runWhole(file, feeds));
});

const { file: towers, feeds: rows } = models['two towers'];

test('branches run in parallel in the state machine and return the same bits', async () => {
  const assembly = synthesize(towers, () => ({ slicing: Slicing.count(5) }));
  const [plan] = fs.readdirSync(assembly).filter((name) => name.startsWith('plan-'));
  const written = JSON.parse(fs.readFileSync(`${assembly}/${plan}`, 'utf8')) as SlicePlan;
  expect(scheduleOf(written)).toBe('(0 1 | 2 3) 4');
  const cloud = await start(assembly);
  await infer(cloud, rows);
  trace.splice(0);
  const { timings } = await runAsWhole(cloud, towers, rows);
  expect(timings.map(({ slice }) => slice)).toEqual([0, 1, 2, 3, 4]);
  const at = (state: string, type: TraceEvent['type']): number =>
    trace.findIndex((event) => event.state === state && event.type === type);
  // Each tower starts before the other one ends.
  expect(at('Slice 00', 'TaskStarted')).toBeLessThan(at('Slice 03', 'TaskSucceeded'));
  expect(at('Slice 02', 'TaskStarted')).toBeLessThan(at('Slice 00', 'TaskSucceeded'));
});

test('a failed run names the slice of a branch that failed', async () => {
  const cloud = await start(
    synthesize(towers, () => ({
      slicing: Slicing.count(5),
      // Node.js refuses this option, so that the function of a slice in a branch does not start.
      sliceFunctionOverrides: { 'slice-03': { environment: { NODE_OPTIONS: '--no-such-option' } } },
    })),
  );
  const result = await infer(cloud, rows);
  expect(result).toMatchObject({ status: 'FAILED', error: 'Runtime.ExitError' });
  expect(JSON.parse((result as FailedInference).cause)).toMatchObject({ slice: 3 });
});
