import * as fs from 'node:fs';
import { ModelProto } from '../../../bench/onnx-schema';
import { analyzeDataflow, nodesByRank } from '../../../lib/dataflow/dataflow';
import type { Model } from '../../../lib/onnx/model';
import { parseModel } from '../../../lib/onnx/parse';
import { type Skeleton, ZEROS_FILE, buildFoldable, buildSkeleton } from '../../../lib/shapes/skeleton';
import {
  type ModelInit,
  FLOAT,
  attribute,
  floats,
  int64s,
  node,
  saveModel,
  value,
} from '../../support/model-builder';

/** A weight of 64 KiB, the least that a foldable model leaves out. */
const LARGE = [128, 128];

const init: ModelInit = {
  graph: {
    node: [
      node('MatMul', ['x', 'large'], ['a']),
      node('Reshape', ['a', 'shape'], ['b']),
      node('Constant', [], ['c'], [attribute.tensor('value', floats('', [2]))]),
      node('Split', ['b'], ['d', '']),
      node('Tanh', ['d'], ['y']),
    ],
    initializer: [floats('large', LARGE), int64s('shape', [-1, 128])],
    input: [value('x', FLOAT, ['batch', 128])],
    output: [value('y', FLOAT)],
  },
};

interface Declared {
  readonly name: string;
  readonly type?: { tensorType: { shape: { dim: { dimValue?: unknown; dimParam?: string }[] } } };
}

interface Decoded {
  readonly node: readonly { readonly opType: string }[];
  readonly input: readonly Declared[];
  readonly output: readonly Declared[];
  readonly initializer: readonly {
    readonly name: string;
    readonly rawData: Uint8Array;
    readonly externalData: readonly { readonly key: string; readonly value: string }[];
  }[];
}

function decoded(model: Model, { chunks }: Skeleton): Decoded {
  const whole = fs.readFileSync(model.files[0].path);
  const bytes = Buffer.concat(
    chunks.map((chunk) =>
      chunk instanceof Uint8Array ? chunk : whole.subarray(chunk.offset, chunk.offset + chunk.length),
    ),
  );
  return (ModelProto.decode(bytes) as unknown as { graph: Decoded }).graph;
}

const model = parseModel(saveModel(init));
const order = nodesByRank(analyzeDataflow(model));
const names = (values: readonly { readonly name: string }[]): string[] => values.map(({ name }) => name);
const dimsOf = (graph: Decoded, name: string): unknown[] | undefined =>
  graph.input
    .find((input) => input.name === name)
    ?.type?.tensorType.shape.dim.map(({ dimValue, dimParam }) =>
      dimParam === undefined || dimParam === '' ? Number(dimValue) : dimParam,
    );

describe('a skeleton', () => {
  const skeleton = buildSkeleton(model, order, { batch: 4 });
  const graph = decoded(model, skeleton);

  it('has every result of a node as an output, in the order of the nodes', () => {
    const exposed = skeleton.exposed.map((index) => model.graph.values[index].name);
    expect(names(graph.output)).toEqual(exposed);
    expect(exposed).toHaveLength(5);
    expect(new Set(exposed)).toEqual(new Set(['a', 'b', 'c', 'd', 'y']));
    expect(graph.node).toHaveLength(5);
  });

  it('reads every weight that may leave the graph from one file of zeros, as long as the largest', () => {
    const large = graph.initializer.find(({ name }) => name === 'large');
    expect(large?.rawData).toHaveLength(0);
    expect(large?.externalData).toContainEqual(
      expect.objectContaining({ key: 'location', value: ZEROS_FILE }),
    );
    expect(skeleton.zerosBytes).toBe(4 * 128 * 128);
  });

  it('declares its inputs with the given sizes', () => {
    expect(dimsOf(graph, 'x')).toEqual([4, 128]);
    expect(dimsOf(decoded(model, buildSkeleton(model, order, {})), 'x')).toEqual(['batch', 128]);
  });

  it('has inputs instead of the nodes whose types are given', () => {
    const index = model.graph.values.findIndex(({ name }) => name === 'b');
    const given = buildFoldable(model, order, {}, new Map([[index, { dataType: FLOAT, shape: [9, 128] }]]));
    const without = decoded(model, given);
    expect(without.node.map(({ opType }) => opType)).not.toContain('Reshape');
    expect(dimsOf(without, 'b')).toEqual([9, 128]);
    expect(given.exposed).not.toContain(index);
  });
});

describe('a foldable model', () => {
  const foldable = buildFoldable(model, order, { batch: 4 });
  const graph = decoded(model, foldable);

  it('has the real values of weights below 64 KiB', () => {
    expect(names(graph.initializer)).toEqual(['shape']);
    expect(Buffer.from(graph.initializer[0].rawData).readBigInt64LE(8)).toBe(128n);
    expect(foldable.zerosBytes).toBe(0);
  });

  it('has larger weights as inputs, with their shapes', () => {
    expect(dimsOf(graph, 'large')).toEqual(LARGE);
  });

  it('has an input instead of a large constant node, and keeps a small one', () => {
    const constant = node('Constant', [], ['c'], [attribute.tensor('value', floats('', LARGE))]);
    const large = parseModel(
      saveModel({ graph: { ...init.graph, node: init.graph.node.with(2, constant) } }),
    );
    const folded = decoded(large, buildFoldable(large, nodesByRank(analyzeDataflow(large)), {}));
    expect(folded.node.map(({ opType }) => opType)).not.toContain('Constant');
    expect(dimsOf(folded, 'c')).toEqual(LARGE);
    expect(graph.node.map(({ opType }) => opType)).toContain('Constant');
  });

  it('has an input with a default as a weight only', () => {
    const inputs = [...(init.graph.input ?? []), value('shape', 7, [2])];
    const withDefault = parseModel(saveModel({ graph: { ...init.graph, input: inputs } }));
    const folded = decoded(
      withDefault,
      buildFoldable(withDefault, nodesByRank(analyzeDataflow(withDefault)), {}),
    );
    expect(names(folded.input)).not.toContain('shape');
    expect(names(folded.initializer)).toContain('shape');
  });
});
