/** Models with parts that do not need each other: how they are cut, and that their slices run side by side. */
import * as fs from 'node:fs';
import type { ExecutionOutput } from '../../client';
import { analyzeModel } from '../../lib/compile/analyze';
import { compileAnalyzed } from '../../lib/compile/compile';
import { scheduleSlices, slicesOf } from '../../lib/plan/schedule/schedule';
import type { ScheduledPlan } from '../../lib/plan/schedule/schedule';
import type { SlicePlan } from '../../lib/plan/plan';
import { count, maxSliceSize } from '../../lib/plan/search/slicers';
import { Slicing } from '../../lib';
import type { TraceEvent } from '../../local';
import type { FailedInference } from '../../local';
import { infer } from '../../local';
import { analyzeFast } from '../support/inference/fast-analysis';
import { start, float32, synthesize, trace, unsliced } from '../support/deployed-pipeline';
import type { GraphInit, NodeInit, TensorInit } from '../support/model-builder';
import { FLOAT, floats, node, saveModel, value } from '../support/model-builder';
import { scheduleText } from '../support/scheduled-plan';
import { expectSameBits, runSlices, runWhole } from '../support/run-slices';

analyzeFast();

const WIDTH = 64;

/** `layers` products with a Tanh each, from `input` to `output`. */
function tower(
  name: string,
  layers: number,
  input: string,
  output: string,
): { nodes: NodeInit[]; weights: TensorInit[] } {
  const nodes: NodeInit[] = [];
  const weights: TensorInit[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const made = layer === layers - 1 ? output : `${name}${layer}`;
    weights.push(floats(`w_${name}${layer}`, [WIDTH, WIDTH]));
    nodes.push(
      node('MatMul', [layer === 0 ? input : `${name}${layer - 1}`, `w_${name}${layer}`], [`${made}_m`]),
      node('Tanh', [`${made}_m`], [made]),
    );
  }
  return { nodes, weights };
}

/** Node by node in turns, as exporters that go by depth write them. */
function interleaved(lists: readonly (readonly NodeInit[])[]): NodeInit[] {
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, place) =>
    lists.flatMap((list) => list.slice(place, place + 1)),
  ).flat();
}

function twoTowers(): GraphInit {
  const [text, image] = [tower('t', 4, 'text', 'text_out'), tower('i', 4, 'image', 'image_out')];
  const head = tower('h', 1, 'joined', 'y');
  return {
    node: [
      ...interleaved([text.nodes, image.nodes]),
      node('Mul', ['text_out', 'image_out'], ['joined']),
      ...head.nodes,
    ],
    initializer: [...text.weights, ...image.weights, ...head.weights],
    input: [value('text', FLOAT, [1, WIDTH]), value('image', FLOAT, [1, WIDTH])],
    output: [value('y', FLOAT)],
  };
}

/** A stem, `branches` towers on top of it, and a sum. */
function ensemble(branches: number): GraphInit {
  const stem = tower('s', 2, 'x', 'shared');
  const members = Array.from({ length: branches }, (_, index) =>
    tower(`m${index}_`, 2, 'shared', `out${index}`),
  );
  return {
    node: [
      ...stem.nodes,
      ...interleaved(members.map(({ nodes }) => nodes)),
      node(
        'Sum',
        members.map((_, index) => `out${index}`),
        ['y'],
      ),
    ],
    initializer: [stem, ...members].flatMap(({ weights }) => weights),
    input: [value('x', FLOAT, [1, WIDTH])],
    output: [value('y', FLOAT)],
  };
}

const row = (seed: number) =>
  float32(
    Array.from({ length: WIDTH }, (_, at) => Math.sin(at * seed + 1)),
    [1, WIDTH],
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

  test.each([
    [2, '0 1'],
    [3, '(0 | 1) 2'],
    [5, '(0 1 | 2 3) 4'],
  ])('in %i slices: %s', async (slices, schedule) => {
    const compiled = compileAnalyzed(analyzed, count(slices));
    expect(scheduleOf(compiled)).toBe(schedule);
    expectSameBits(await runSlices(compiled, feeds), await runWhole(file, feeds));
  });

  test('within a limit, when that takes no more slices', () => {
    const weights = WIDTH * WIDTH * 4;
    expect(scheduleOf(compileAnalyzed(analyzed, maxSliceSize(2 * weights)))).toBe('(0 1 | 2 3) 4');
    expect(scheduleOf(compileAnalyzed(analyzed, maxSliceSize(5 * weights)))).toBe('0 1');
  });

  test('run at the same time in the state machine, with the same bits', async () => {
    const assembly = synthesize(file, () => ({ slicing: Slicing.count(5) }));
    const cloud = await start(assembly);
    await infer(cloud, feeds);
    trace.splice(0);
    const result = await infer(cloud, feeds);
    expect(result).toMatchObject({ status: 'SUCCEEDED', outputs: await unsliced(file, feeds) });
    const time = (state: string, type: TraceEvent['type']): number =>
      trace.find((event) => event.state === state && event.type === type)?.time ?? NaN;
    // Each tower begins before the other ends.
    expect(time('Slice 00', 'TaskStarted')).toBeLessThanOrEqual(time('Slice 03', 'TaskSucceeded'));
    expect(time('Slice 02', 'TaskStarted')).toBeLessThanOrEqual(time('Slice 01', 'TaskSucceeded'));
    const order = trace.filter(({ type }) => type === 'TaskStarted' || type === 'TaskSucceeded');
    const at = (state: string, type: string): number =>
      order.findIndex((event) => event.state === state && event.type === type);
    expect(at('Slice 02', 'TaskStarted')).toBeLessThan(at('Slice 00', 'TaskSucceeded'));
    const { timings } = (result as { execution: ExecutionOutput }).execution;
    expect(timings.map(({ slice }) => slice)).toEqual([0, 1, 2, 3, 4]);
  });

  test('are written down in the plan, by what each slice reads', () => {
    const assembly = synthesize(file, () => ({ slicing: Slicing.count(5) }));
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
  ])('in %i slices: %s', async (slices, schedule) => {
    const compiled = compileAnalyzed(analyzed, count(slices));
    expect(scheduleOf(compiled)).toBe(schedule);
    expectSameBits(await runSlices(compiled, feeds), await runWhole(file, feeds));
  });
});

test('a slice that fails in a branch is named as the cause of the run’s failure', async () => {
  const file = saveModel({ graph: twoTowers() });
  const cloud = await start(
    synthesize(file, () => ({
      slicing: Slicing.count(5),
      // What the function of a slice in a branch is told of its model is wrong.
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

test('a chain is cut as before: no branch of it is worth a function', () => {
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
