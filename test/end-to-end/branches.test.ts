/** Cuts models with independent parts, and runs the slices of these parts in parallel. */
import * as fs from 'node:fs';
import type { ExecutionOutput } from '../../client';
import { analyzeModel } from '../../lib/compile/analyze';
import { compileAnalyzed } from '../../lib/compile/compile';
import { scheduleSlices, slicesOf, type ScheduledPlan } from '../../lib/plan/schedule/schedule';
import type { SlicePlan } from '../../lib/plan/file/plan';
import { count, maxSliceSize } from '../../lib/plan/slicers';
import { Slicing } from '../../lib';
import { type TraceEvent, type FailedInference, infer } from '../../local';
import { analyzeFast } from '../support/inference/fast-analysis';
import { start, synthesize, trace } from '../support/deployed-pipeline';
import { FLOAT, saveModel, value } from '../support/model-builder';
import { scheduleText } from '../support/scheduled-plan';
import { expectSameBits, runSlices, runWhole } from '../support/run-slices';
import { float32 } from '../support/tensors';
import { WIDTH, ensemble, tower, twoTowers } from '../support/towers';

analyzeFast();

const row = (seed: number) =>
  float32(
    [1, WIDTH],
    Array.from({ length: WIDTH }, (_, at) => Math.sin(at * seed + 1)),
  );

function scheduleOf({ plan }: { plan: ScheduledPlan }): string {
  return scheduleText(scheduleSlices(plan));
}

describe('two towers', () => {
  const file = saveModel({ graph: twoTowers() });
  const analyzed = analyzeModel(file);
  const feeds = new Map([
    ['text', row(1)],
    ['image', row(2)],
  ]);
  let assembly: string;
  beforeAll(() => {
    assembly = synthesize(file, () => ({ slicing: Slicing.count(5) }));
  });

  test.each([
    [2, '0 1'],
    // A slice for each tower would take a third longer than equal slices.
    [3, '0 1 2'],
    [5, '(0 1 | 2 3) 4'],
  ])('in %i slices are scheduled as %s', async (slices, schedule) => {
    const compiled = compileAnalyzed(analyzed, count(slices));
    expect(scheduleOf(compiled)).toBe(schedule);
    expectSameBits(await runSlices(compiled, feeds), await runWhole(file, feeds));
  });

  test('run in parallel within a size limit if that takes no more slices', () => {
    const weights = WIDTH * WIDTH * 4;
    expect(scheduleOf(compileAnalyzed(analyzed, maxSliceSize(2 * weights)))).toBe('(0 1 | 2 3) 4');
    expect(scheduleOf(compileAnalyzed(analyzed, maxSliceSize(5 * weights)))).toBe('0 1');
  });

  test('run in parallel in the state machine and return the same bits', async () => {
    const cloud = await start(assembly);
    await infer(cloud, feeds);
    trace.splice(0);
    const result = await infer(cloud, feeds);
    expect(result).toMatchObject({ status: 'SUCCEEDED', outputs: await runWhole(file, feeds) });
    const time = (state: string, type: TraceEvent['type']): number =>
      trace.find((event) => event.state === state && event.type === type)?.time ?? NaN;
    // Each tower starts before the other one ends.
    expect(time('Slice 00', 'TaskStarted')).toBeLessThanOrEqual(time('Slice 03', 'TaskSucceeded'));
    expect(time('Slice 02', 'TaskStarted')).toBeLessThanOrEqual(time('Slice 01', 'TaskSucceeded'));
    const order = trace.filter(({ type }) => type === 'TaskStarted' || type === 'TaskSucceeded');
    const at = (state: string, type: string): number =>
      order.findIndex((event) => event.state === state && event.type === type);
    expect(at('Slice 02', 'TaskStarted')).toBeLessThan(at('Slice 00', 'TaskSucceeded'));
    const { timings } = (result as { execution: ExecutionOutput }).execution;
    expect(timings.map(({ slice }) => slice)).toEqual([0, 1, 2, 3, 4]);
  });

  test('have the same schedule when the plan file is read', () => {
    const [plan] = fs.readdirSync(assembly).filter((name) => name.startsWith('plan-'));
    const written = JSON.parse(fs.readFileSync(`${assembly}/${plan}`, 'utf8')) as SlicePlan;
    expect(scheduleOf({ plan: written })).toBe('(0 1 | 2 3) 4');
  });
});

describe('an ensemble on a shared stem', () => {
  const file = saveModel({ graph: ensemble(3) });
  const analyzed = analyzeModel(file);
  const feeds = new Map([['x', row(3)]]);

  test.each([
    [4, '0 (1 | 2) 3'],
    [5, '0 (1 | 2 | 3) 4'],
  ])('in %i slices is scheduled as %s', async (slices, schedule) => {
    const compiled = compileAnalyzed(analyzed, count(slices));
    expect(scheduleOf(compiled)).toBe(schedule);
    expectSameBits(await runSlices(compiled, feeds), await runWhole(file, feeds));
  });
});

test('a failed run names the slice of a branch that failed', async () => {
  const file = saveModel({ graph: twoTowers() });
  const cloud = await start(
    synthesize(file, () => ({
      slicing: Slicing.count(5),
      // Node.js refuses this option, so that the function of a slice in a branch does not start.
      sliceFunctionOverrides: { 'slice-03': { environment: { NODE_OPTIONS: '--no-such-option' } } },
    })),
  );
  const feeds = new Map([
    ['text', row(1)],
    ['image', row(2)],
  ]);
  const result = await infer(cloud, feeds);
  expect(result).toMatchObject({ status: 'FAILED', error: 'Runtime.ExitError' });
  expect(JSON.parse((result as FailedInference).cause)).toMatchObject({ slice: 3 });
});

test('the slices of a chain run one after the other', () => {
  const { nodes, weights } = tower('c', 8, 'x', 'y');
  const graph = {
    node: nodes,
    initializer: weights,
    input: [value('x', FLOAT, [1, WIDTH])],
    output: [value('y', FLOAT)],
  };
  const schedule = scheduleSlices(compileAnalyzed(analyzeModel(saveModel({ graph })), count(4)).plan);
  expect(slicesOf(schedule)).toEqual([0, 1, 2, 3]);
  expect(scheduleText(schedule)).toBe('0 1 2 3');
});
