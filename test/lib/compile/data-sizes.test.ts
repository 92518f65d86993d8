/** A model whose sizes or loops depend on data runs once, and its plan has what the run had. */
import childProcess from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { encodeSafetensors } from '../../../lambda/tensors/safetensors';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { type AnalyzeOptions, analyzeModel } from '../../../lib/compile/analyze';
import { compile, compileAnalyzed } from '../../../lib/compile/compile';
import { count } from '../../../lib/plan/slicers';
import { dataSizesNote } from '../../../lib/plan/notes';
import { nodesOf } from '../../support/graph-text';
import { analyzeFast } from '../../support/inference/fast-analysis';
import {
  type GraphInit,
  type ModelInit,
  type NodeInit,
  BOOL,
  FLOAT,
  INT64,
  attribute,
  floats,
  int64s,
  mlp,
  modelOf,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';

analyzeFast();

/** Two rows of indexes, one column for each element of `x` that is not zero. */
const PLACES = modelOf(nodesOf('NonZero x > places; Cast places > y to=1'), { x: [2, 'n'] });

/** Squares `x` as often as `trips` says, which is an input or computed. */
function loop(trips: string, before: readonly NodeInit[] = []): NodeInit[] {
  const body: GraphInit = {
    node: nodesOf('Identity go > again; Mul a a > b; Mul b w > c'),
    initializer: [floats('w', [64])],
    input: [value('i', INT64, []), value('go', BOOL, []), value('a', FLOAT, [64])],
    output: [value('again', BOOL, []), value('c', FLOAT, [64])],
  };
  return [...before, node('Loop', [trips, '', 'x'], ['y'], [attribute.graph('body', body)])];
}

/** As many trips as `n` is long, which ONNX Runtime does not infer. */
const LOOP = modelOf(
  loop('trips', nodesOf('NonZero n > found; Shape found > shape; Gather shape one > trips')),
  { x: [64], n: [7] },
  [int64s('one', [1], [])],
);

/** The jobs that a file's models run in, apart from those that infer types. */
function runsOf(action: () => void): number {
  const spy = jest.spyOn(childProcess, 'spawnSync');
  try {
    action();
    return spy.mock.calls.filter(([, args]) => args?.[0].endsWith('sizes-job.js')).length;
  } finally {
    spy.mockRestore();
  }
}

function planned(model: ModelInit, options: AnalyzeOptions = {}) {
  const analyzed = analyzeModel(saveModel(model), options);
  const index = (name: string): number => analyzed.model.graph.values.findIndex((own) => own.name === name);
  const { types, bytes, bounded, data } = analyzed.planned;
  return {
    ...{ analyzed, data, bounded: bounded.map((own) => analyzed.model.graph.values[own].name) },
    shapeOf: (name: string) => types[index(name)].shape,
    bytesOf: (name: string) => bytes[index(name)],
    plan: () => compileAnalyzed(analyzed, count(1)).plan,
  };
}

function inputsFile(tensors: Readonly<Record<string, readonly [number[], number[]]>>): string {
  const file = path.join(temporaryFolder(), 'own.safetensors');
  const raw = Object.entries(tensors).map(([name, [shape, values]]): [string, RawTensor] => [
    name,
    { dtype: 'float32', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) },
  ]);
  fs.writeFileSync(file, encodeSafetensors(new Map(raw)));
  return file;
}

describe('a model whose sizes depend on data', () => {
  it('is planned with the sizes of a run on generated inputs, and its plan says so', () => {
    const { shapeOf, bytesOf, bounded, plan } = planned(PLACES, { dimensions: { n: 8 } });
    expect(shapeOf('places')).toEqual([2, 16]);
    expect(bytesOf('places')).toBe(2 * 16 * 8);
    expect(bytesOf('y')).toBe(2 * 16 * 4);
    expect(bounded).toEqual([]);
    const inputs = 'generated inputs (x float32[2,8])';
    expect(plan()).toMatchObject({ boundedTensors: [], dataSizes: { inputs, isGenerated: true } });
  });

  it('runs once: later analyses read the sizes from the cache, and other sizes run again', () => {
    const file = saveModel(modelOf(nodesOf('NonZero x > p; Cast p > y to=1'), { x: [3, 'n'] }));
    const analyze = (n: number) => () => void analyzeModel(file, { dimensions: { n } });
    expect([4, 4, 5].map((n) => runsOf(analyze(n)))).toEqual([1, 0, 1]);
    const inputs = (last: number) =>
      inputsFile({
        x: [
          [3, 1],
          [0, 1, last],
        ],
      });
    const own = (last: number) => () => void analyzeModel(file, { inputs: inputs(last) });
    expect([2, 2, 3].map((last) => runsOf(own(last)))).toEqual([1, 0, 1]);
  });

  it('runs on the inputs of the user, and has the sizes of their dimensions', () => {
    const file = inputsFile({
      x: [
        [2, 3],
        [0, 0, 1, 0, 2, 3],
      ],
    });
    const { analyzed, shapeOf, data } = planned(PLACES, { inputs: file, dimensions: { n: 9 } });
    expect(analyzed.planned).toMatchObject({ dimensions: { n: 3 }, assumed: [] });
    expect(shapeOf('places')).toEqual([2, 3]);
    expect(data?.source).toEqual({ inputs: 'own.safetensors (x float32[2,3])', isGenerated: false });
    // Without values that depend on data, only dimensions come from them.
    const known = planned(modelOf(nodesOf('Abs x > y'), { x: ['rows', 3] }), { inputs: file });
    expect(known.analyzed.planned.dimensions).toEqual({ rows: 2 });
    expect(known.data).toBeUndefined();
  });

  it('keeps the estimate of an empty tensor, because generated inputs may hold nothing to find', () => {
    const nothing = nodesOf('Sub x x > zero; NonZero zero > none; Cast none > y to=1');
    const { bounded, bytesOf, data } = planned(modelOf(nothing, { x: [2, 3] }));
    expect(data?.nodes.none.tensors).toEqual([{ dtype: 'int64', shape: [2, 0] }]);
    expect(bounded).toEqual(['none']);
    expect(bytesOf('none')).toBeGreaterThan(0);
  });

  it('has the sizes of the run in an optimized graph, and in one with an operator in parts', () => {
    const weights = [floats('w', [64, 512]), int64s('rows', [-1, 64])];
    const nodes = nodesOf(
      'NonZero x > found; Cast found > f to=1; Tile f four > t; Reshape t rows > r; MatMul r w > m; Abs m > y',
    );
    const model = modelOf(nodes, { x: [2, 64] }, [...weights, int64s('four', [1, 4])]);
    const sizes = (options: AnalyzeOptions) => planned(model, options).shapeOf('m');
    expect(sizes({})).toEqual([16, 512]);
    expect(sizes({ optimization: 'basic' })).toEqual([16, 512]);
    expect(sizes({ splits: { named: { w: 2 } } })).toEqual([16, 512]);
  });

  it('does not run if the caller wants estimates, or if all sizes are known', () => {
    const other = { dimensions: { n: 11 } };
    expect(runsOf(() => planned(PLACES, { ...other, inputs: false }))).toBe(0);
    expect(runsOf(() => planned(mlp(2)))).toBe(0);
    expect(runsOf(() => planned(PLACES, other))).toBe(1);
  });
});

describe('a loop', () => {
  const workOf = (model: ModelInit, options: AnalyzeOptions = {}): number => {
    const { cuts, model: cut } = planned(model, options).analyzed;
    const index = cut.graph.nodes.findIndex(({ opType }) => opType === 'Loop');
    return cuts.costs.work[index];
  };

  it('works as often as it ran', () => {
    const once = workOf(LOOP, { inputs: false });
    const often = workOf(LOOP);
    const ran = planned(LOOP).data?.nodes.y.body.map(({ opType, count }) => `${opType} ${count}`);
    expect(ran?.sort()).toEqual(['Identity 7', 'Mul 7', 'Mul 7']);
    expect(often / once).toBeGreaterThan(5);
    expect(often / once).toBeLessThan(8);
  });

  it('works as long as the same nodes outside of a loop', () => {
    const weight = floats('w', [256, 256]);
    const body: GraphInit = {
      node: nodesOf('Identity go > again; MatMul a w > m; Tanh m > b'),
      input: [value('i', INT64, []), value('go', BOOL, []), value('a', FLOAT, [128, 256])],
      output: [value('again', BOOL, []), value('b', FLOAT, [128, 256])],
    };
    const loop = node('Loop', ['trips', '', 'x'], ['y'], [attribute.graph('body', body)]);
    const looped = modelOf([loop], { x: [128, 256] }, [weight, int64s('trips', [12], [])]);
    const layers = Array.from(
      { length: 12 },
      (_, at) => `MatMul t${at} w > m${at}; Tanh m${at} > t${at + 1}`,
    );
    const plain = modelOf(nodesOf(`Abs x > t0; ${layers.join('; ')}; Abs t12 > y`), { x: [128, 256] }, [
      weight,
    ]);
    const all = planned(plain).analyzed.cuts.costs.work.reduce((sum, seconds) => sum + seconds, 0);
    expect(workOf(looped) / all).toBeGreaterThan(0.9);
    expect(workOf(looped) / all).toBeLessThan(1.1);
  });

  it('counts as one pass if generated inputs make it run never', () => {
    const never = modelOf(loop('none'), { x: [64] }, [int64s('none', [0], [])]);
    expect(workOf(never) / workOf(never, { inputs: false })).toBeCloseTo(1, 1);
    expect(planned(never).data?.nodes.y.body).toEqual([]);
  });
});

describe('a model that does not run', () => {
  const refusing = modelOf(
    nodesOf('NonZero x > p; Cast p > f to=1; Reshape f five > r; Abs r > y'),
    { x: [2, 4] },
    [int64s('five', [5, 7])],
  );

  it('keeps its estimates, and its plan is a guess for the same reason each time', () => {
    const { data, bounded, plan } = planned(refusing);
    expect(data?.source.failure).toMatch(
      /^Non-zero status code returned while running Reshape node\. Name:'r' /,
    );
    expect(bounded).toEqual(['p']);
    const { dataSizes } = plan();
    expect(dataSizes).toEqual({
      inputs: 'generated inputs',
      isGenerated: true,
      failure: data?.source.failure,
    });
    const note = dataSizes && dataSizesNote(dataSizes);
    expect(note).toMatch(
      /^this plan is a guess: pass inputs of your own with --inputs, because .* did not run on generated inputs: Non-zero /,
    );
  });

  it.each([
    [{ error: Object.assign(new Error(), { code: 'ETIMEDOUT' }), status: null }, 'no answer within 120 s'],
    [{ status: null, signal: 'SIGKILL', stderr: '' }, 'a process ended by SIGKILL'],
  ])('is stopped after two minutes, and may crash', (end, failure) => {
    const { spawnSync } = childProcess;
    const spy = jest
      .spyOn(childProcess, 'spawnSync')
      .mockImplementation(((...call: Parameters<typeof spawnSync>) =>
        call[1]?.[0].endsWith('sizes-job.js') ? end : spawnSync(...call)) as typeof spawnSync);
    const model = modelOf(nodesOf('NonZero x > p; Cast p > y to=1'), { x: [5, failure.length] });
    try {
      // The next analysis tries again.
      for (let time = 0; time < 2; time++) expect(planned(model).data?.source.failure).toBe(failure);
    } finally {
      spy.mockRestore();
    }
    expect(planned(model).data?.source.failure).toBeUndefined();
  });
});

it('compiles the same plan twice', () => {
  const file = saveModel(PLACES);
  const plan = () => compile(file, count(1)).plan;
  expect(plan()).toEqual(plan());
});
