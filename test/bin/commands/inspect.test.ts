import { BFLOAT16, FLOAT, attribute, mlp, node, saveModel, value } from '../../support/model-builder';
import { manyOutputs, unary } from '../../support/command-models';
import { succeed, succeedWithJson } from '../../support/run-cli';

describe('inspect', () => {
  it('shows what a model contains and where it can be cut', async () => {
    const model = saveModel(mlp(3));
    expect(await succeed(['inspect', model])).toBe(
      [
        model,
        'size        3.59 KB',
        'nodes       9, all to divide among slices',
        'opsets      ai.onnx 17',
        'dimensions',
        "  batch  1, assumed; set it with --dimension 'batch=1'",
        'inputs',
        '  x  float32[batch,16]',
        'outputs',
        '  y  float32[batch,16]',
        'cuts        8 possible, so at most 9 slices',
        '  tensors that cross a cut alone: m0, a0, t0, m1, a1, and 3 more',
        'every value between nodes can cross a cut',
        '',
      ].join('\n'),
    );
  });

  it('prints the same as JSON', async () => {
    expect(await succeedWithJson(['inspect', saveModel(manyOutputs())])).toMatchObject({
      nodes: 4,
      nodesToShareOut: 4,
      opsets: { 'ai.onnx': 17 },
      inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 4] }],
      outputs: [{ name: 'late' }, { name: 'early' }, { name: 'places', dtype: 'int64', shape: ['batch', 2] }],
      dimensions: [{ name: 'batch', size: 1, assumed: true }],
      boundedTensors: [],
      possibleCuts: 3,
      singleTensorCuts: ['early', 'best', 'negated'],
      cannotCross: [],
    });
  });

  it('names the values that cannot cross a cut', async () => {
    const cast = (to: number) => [attribute.int('to', to)];
    const graph = {
      node: [
        node('Tanh', ['x'], ['a']),
        node('Cast', ['a'], ['short'], cast(BFLOAT16)),
        node('Cast', ['short'], ['y'], cast(FLOAT)),
      ],
      input: [value('x', FLOAT, [1, 4])],
      output: [value('y', FLOAT, [1, 4])],
    };
    const model = saveModel({ graph });
    const text = await succeed(['inspect', model]);
    expect(text).toContain('dimensions  all fixed\ninputs\n');
    expect(text).toContain(
      '\n  tensors that cross a cut alone: a\ncannot cross a cut\n  short  bfloat16[1,4]\n',
    );
    expect(await succeedWithJson(['inspect', model])).toMatchObject({
      possibleCuts: 1,
      cannotCross: [{ name: 'short', dtype: 'bfloat16' }],
    });
  });

  it('reports that a model of one node cannot be cut, and takes sizes of symbolic dimensions', async () => {
    const one = saveModel(unary([['Neg', 'x', 'y']]));
    expect(await succeed(['inspect', one])).toContain(
      'cuts        0 possible, so at most 1 slice\n  tensors that cross a cut alone: none\n',
    );
    expect(await succeed(['inspect', saveModel(mlp(1)), '--dimension', 'batch=8'])).toContain('  batch  8\n');
  });
});
