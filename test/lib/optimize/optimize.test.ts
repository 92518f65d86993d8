/** Slices of an optimized graph compute the same bits as the whole model at that level of optimization. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { analyzeModel } from '../../../lib/compile/analyze';
import { clearCache } from '../../../lib/cache/folder';
import { compileAnalyzed } from '../../../lib/compile/compile';
import { totalLength } from '../../../lib/onnx/encode';
import { OPTIMIZATION_LEVELS } from '../../../lib/optimize/level';
import { mostSlices } from '../../support/most-slices';
import { count } from '../../../lib/plan/slicers';
import { graphOf, nodesOf } from '../../support/graph-text';
import { askOneProcess } from '../../support/inference/fast-analysis';
import {
  type GraphInit,
  FLOAT,
  external,
  floats,
  modelOf,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';
import { randomFloat16Model } from '../../support/random-float16-graph';
import { randomModel } from '../../support/random-graph';
import {
  type Tensors,
  expectSameBits,
  expectSameBitsInEveryCut,
  runSlices,
  runWhole,
} from '../../support/run-slices';
import { cases } from '../../support/full-checks';
import { float32 } from '../../support/tensors';

askOneProcess();

process.env.SLICED_INFERENCE_CACHE = temporaryFolder();

const inputs: Tensors = new Map<string, RawTensor>([
  ['x', float32([1, 8], [0.1, -2.3, 3.3, 1e-4, -0.7, 11.1, 0.9999, -1e-3])],
  ['late', float32([1, 8], [9, -0, NaN, 6, -Infinity, 4, 2 ** -149, Infinity])],
  ['flag', { dtype: 'bool', shape: [], bytes: new Uint8Array([1]) }],
]);

test.each([
  ...(['basic', 'extended'] as const).map((level) => ['', level, randomModel, cases(4, 20)] as const),
  // The casts that ONNX Runtime inserts stay.
  ...OPTIMIZATION_LEVELS.map((level) => ['float16 ', level, randomFloat16Model, 15] as const),
])(
  'slices of random %sgraphs compute the bits of the whole model at %s',
  async (_, optimization, models, numRuns) => {
    let cuts = 0;
    await fc.assert(
      fc.asyncProperty(models, async (model) => {
        const file = saveModel(model);
        const analyzed = analyzeModel(file, { optimization });
        const whole = await runWhole(file, inputs, optimization);
        const most = mostSlices(analyzed.cuts);
        cuts += most - 1;
        for (const slices of new Set([1, Math.ceil(most / 2), most]))
          expectSameBits(await runSlices(compileAnalyzed(analyzed, count(slices)), inputs), whole);
      }),
      { numRuns, endOnFailure: true },
    );
    expect(cuts).toBeGreaterThan(0);
  },
);

/** A convolution with a batch normalization that the optimizer folds into it, and a layer that it does not change. */
function foldable(): GraphInit {
  const perChannel = Object.entries({ scale: 0.5, bias: -1, mean: 0.1, variance: 1 }).map(([name, start]) => {
    const values = Array.from({ length: 16 }, (_, index) => start + index / 10);
    return floats(name, [16], values);
  });
  const nodes = `
    Conv x kernel > c; BatchNormalization c scale bias mean variance > n; Relu n > r;
    Flatten r > f; MatMul f w > y`;
  return graphOf(nodes, {
    initializer: [floats('kernel', [16, 8, 3, 3]), ...perChannel, floats('w', [64, 32])],
    input: [value('x', FLOAT, [1, 8, 4, 4])],
  });
}

describe('an optimized model', () => {
  const feeds = new Map([['x', float32([1, 8, 4, 4])]]);

  test('has fewer nodes and computes the same bits as the whole model at its level', async () => {
    const file = saveModel({ graph: foldable() });
    const analyzed = analyzeModel(file, { optimization: 'basic' });
    expect(analyzed.model.graph.nodes.map(({ opType }) => opType)).not.toContain('BatchNormalization');
    const compiled = compileAnalyzed(analyzed, count(2));
    expect(compiled.plan.graphOptimization).toBe('basic');
    expect(compiled.plan.model.file).toBe('model.onnx');
    const whole = await runWhole(file, feeds, 'basic');
    expectSameBits(await runSlices(compiled, feeds), whole);
  });

  test('refers to unfolded weights in the file of the original model', () => {
    const file = saveModel({ graph: foldable() });
    const { model, source } = analyzeModel(file, { optimization: 'basic' });
    const [saved] = model.files;
    const original = fs.statSync(file).size;
    // The saved graph holds the folded kernel; the matrix of 8 KiB is read from the model's file.
    expect(saved.size).toBeLessThan(original);
    const weight = model.graph.initializers.find(({ tensor: { name } }) => name === 'w')?.tensor;
    expect(model.files[weight?.data?.file ?? 0].path).toBe(fs.realpathSync(source[0].path));
  });

  test('reads weights from external files of the original model', async () => {
    const folder = temporaryFolder();
    const graph = foldable();
    fs.mkdirSync(path.join(folder, 'weights'));
    const initializer = (graph.initializer ?? []).map((tensor) => {
      if (tensor.name !== 'w') return tensor;
      fs.writeFileSync(path.join(folder, 'weights/w.bin'), tensor.rawData as Uint8Array);
      return external('w', tensor.dims, { location: 'weights/w.bin' });
    });
    const file = saveModel({ graph: { ...graph, initializer } }, 'model.onnx', folder);
    const compiled = compileAnalyzed(analyzeModel(file, { optimization: 'extended' }), count(2));
    expect(totalLength(compiled.slices[1].weights)).toBe(64 * 32 * 4);
    expectSameBits(await runSlices(compiled, feeds), await runWhole(file, feeds, 'extended'));
  });

  const cache = path.join(process.env.SLICED_INFERENCE_CACHE ?? '', 'optimized');
  const kept = (file: string): string => {
    const [folder] = fs.readdirSync(cache);
    return path.join(cache, folder, file);
  };
  const damages: Record<string, () => void> = {
    'has no answer file': () => {
      fs.rmSync(kept('answer.json'));
    },
    'has a truncated graph': () => {
      fs.truncateSync(kept('saved.onnx'), 100);
    },
    'is from before the machine started': () => {
      const answer = JSON.parse(fs.readFileSync(kept('answer.json'), 'utf8')) as object;
      fs.writeFileSync(kept('answer.json'), JSON.stringify({ ...answer, writtenAt: 1 }));
      fs.writeFileSync(kept('saved.onnx'), 'lost with the power');
    },
  };

  test.each(Object.entries(damages))('is optimized again when its folder in the cache %s', (_, damage) => {
    clearCache();
    const file = saveModel({ graph: foldable() });
    const nodes = (): string[] =>
      analyzeModel(file, { optimization: 'basic' }).model.graph.nodes.map(({ opType }) => opType);
    const before = nodes();
    damage();
    expect(nodes()).toEqual(before);
  });

  test('is refused in one line when ONNX Runtime cannot load it', () => {
    const graph = { ...foldable(), node: [node('Nonsense', ['x'], ['y'])] };
    expect(() => analyzeModel(saveModel({ graph }), { optimization: 'basic' })).toThrow(
      /^model '.*' must load in ONNX Runtime [\d.]+ with graph optimization 'basic', got .*Nonsense.*: check that it runs there without slicing$/,
    );
  });

  test('loses the inputs with defaults that the optimizer has merged', async () => {
    // In IR version 3 every initializer is an input as well. The optimizer merges two equal ones.
    const same = (name: string) => floats(name, [1, 8], [1, 2, 3, 4, 5, 6, 7, 8]);
    const nodes = nodesOf('Add x a > s; Mul s b > t; Tanh t > y');
    const merged = modelOf(nodes, { x: [1, 8], a: [1, 8], b: [1, 8] }, [same('a'), same('b')]);
    const file = saveModel({ ...merged, irVersion: 3, opset: 8 });
    const { model } = analyzeModel(file, { optimization: 'basic' });
    expect(model.graph.initializers).toHaveLength(1);
    const compiled = compileAnalyzed(analyzeModel(file, { optimization: 'basic' }), count(2));
    expect(compiled.plan.inputs.map(({ name }) => name)).toEqual(['x']);
    expectSameBits(await runSlices(compiled, inputs), await runWhole(file, inputs, 'basic'));
  });
});

test('the optimizer gets the declared shapes of inner values', () => {
  // Without the declaration the shape of `s` is unknown, and ONNX Runtime omits a fusion that needs it.
  const hidden = 16;
  const nodes = nodesOf(`
    Reshape x shape > a; Add a skip > s; LayerNormalization s scale bias > y axis=-1`);
  const { graph: own } = modelOf(
    nodes,
    { x: ['n', 2, hidden], shape: { type: 7, dims: [3] }, skip: [1, 2, hidden] },
    ['scale', 'bias'].map((name) => floats(name, [hidden])),
  );
  const graph = { ...own, valueInfo: ['a', 's'].map((name) => value(name, FLOAT, [1, 2, hidden])) };
  const { model } = analyzeModel(saveModel({ graph }), { optimization: 'extended' });
  expect(model.graph.nodes.map(({ opType }) => opType)).toContain('SkipLayerNormalization');
});

test('a model that loads only with optimization is refused with the level that loads it', async () => {
  // ONNX Runtime has no cast from float16 to float16. It drops such casts where it optimizes.
  const nodes = 'Cast x > h to=10; Sigmoid h > s; Cast s > c to=10; Sigmoid c > t; Cast t > y to=1';
  const graph = graphOf(nodes);
  const file = saveModel({ graph });
  expect(() => analyzeModel(file)).toThrow(
    'it loads with `graphOptimization: GraphOptimization.BASIC` and with `--optimize basic`',
  );
  await expectSameBitsInEveryCut(file, new Map([['x', float32([4])]]), 'basic');
});
