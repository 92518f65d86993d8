import * as fs from 'node:fs';
import { ModelProto } from '../../../bench/onnx-schema';
import { ByteSource } from '../../../lib/onnx/wire';
import { withoutBodyTypes } from '../../../lib/shapes/bare-bodies';
import type { ModelInit } from '../../support/model-builder';
import { BOOL, FLOAT, attribute, encodeModel, node, saveModel, value } from '../../support/model-builder';

interface Declaration {
  readonly name: string;
  readonly type?: { readonly tensorType?: { readonly elemType: number; readonly shape?: object | null } };
}

interface Body {
  readonly node: readonly { readonly attribute: readonly { readonly g?: Body }[] }[];
  readonly input: readonly Declaration[];
  readonly output: readonly Declaration[];
  readonly valueInfo: readonly Declaration[];
}

/** The model without these types; `undefined` if it has none. */
function stripped(
  model: ModelInit | Uint8Array,
): { readonly bytes: Buffer; readonly graph: Body } | undefined {
  const file = saveModel(model);
  const source = new ByteSource(file);
  try {
    const chunks = withoutBodyTypes(source);
    if (chunks === undefined) return undefined;
    const whole = fs.readFileSync(file);
    const bytes = Buffer.concat(
      chunks.map((chunk) =>
        chunk instanceof Uint8Array ? chunk : whole.subarray(chunk.offset, chunk.offset + chunk.length),
      ),
    );
    return { bytes, graph: (ModelProto.decode(bytes) as unknown as { graph: Body }).graph };
  } finally {
    source.close();
  }
}

const body = (inner: object[] = []) => ({
  node: [node('Abs', ['x'], ['m']), node('Neg', ['m'], ['o']), ...(inner as never[])],
  output: [value('o', FLOAT, [3])],
  valueInfo: [value('m', FLOAT, [3])],
});

const model: ModelInit = {
  graph: {
    node: [
      node(
        'If',
        ['flag'],
        ['y'],
        [attribute.graph('then_branch', body()), attribute.graph('else_branch', body())],
      ),
    ],
    input: [value('x', FLOAT, [3]), value('flag', BOOL, [])],
    output: [value('y', FLOAT, [3])],
    valueInfo: [value('y', FLOAT, [3])],
  },
};

describe('a model without the types of its bodies', () => {
  it('has element types but no shapes in bodies', () => {
    const bodies = stripped(model)?.graph.node[0].attribute.map(({ g }) => g);
    expect(bodies).toHaveLength(2);
    for (const each of bodies ?? []) {
      expect(each?.valueInfo).toEqual([]);
      expect(each?.output[0].type?.tensorType?.elemType).toBe(FLOAT);
      expect(each?.output[0].type?.tensorType?.shape ?? undefined).toBeUndefined();
    }
  });

  it('keeps the declarations of the graph itself', () => {
    const graph = stripped(model)?.graph;
    for (const declared of [graph?.input[0], graph?.output[0], graph?.valueInfo[0]])
      expect(declared?.type?.tensorType?.shape).toMatchObject({ dim: [{}] });
  });

  it('loses the types of bodies in bodies', () => {
    const inner = node(
      'If',
      ['flag'],
      ['z'],
      [attribute.graph('then_branch', body()), attribute.graph('else_branch', body())],
    );
    const nested = {
      ...model.graph,
      node: [
        node(
          'If',
          ['flag'],
          ['y'],
          [attribute.graph('then_branch', body([inner])), attribute.graph('else_branch', body())],
        ),
      ],
    };
    const deep = stripped({ graph: nested })?.graph.node[0].attribute[0].g?.node[2].attribute[0].g;
    expect(deep?.valueInfo).toEqual([]);
    expect(deep?.output[0].name).toBe('o');
  });

  it('loses whole types of sequences', () => {
    const sequence = { name: 'o', type: { sequenceType: { elemType: { tensorType: { elemType: FLOAT } } } } };
    const bodies = { node: [node('SequenceConstruct', ['x'], ['o'])], output: [sequence] };
    const graph = {
      ...model.graph,
      node: [
        node(
          'If',
          ['flag'],
          ['y'],
          [attribute.graph('then_branch', bodies), attribute.graph('else_branch', bodies)],
        ),
      ],
    };
    expect(stripped({ graph })?.graph.node[0].attribute[0].g?.output[0].type ?? undefined).toBeUndefined();
  });

  it('is the model itself if no body declares a shape', () => {
    const bare = { node: [node('Abs', ['x'], ['o'])], output: [value('o', FLOAT)] };
    const graph = {
      ...model.graph,
      node: [
        node(
          'If',
          ['flag'],
          ['y'],
          [attribute.graph('then_branch', bare), attribute.graph('else_branch', bare)],
        ),
      ],
    };
    expect(stripped({ graph })).toBeUndefined();
    expect(stripped({ graph: { ...model.graph, node: [node('Abs', ['x'], ['y'])] } })).toBeUndefined();
  });

  it('has nothing left to remove', () => {
    const bytes = stripped(model)?.bytes ?? Buffer.alloc(0);
    expect(bytes.length).toBeGreaterThan(0);
    expect(bytes.length).toBeLessThan(encodeModel(model).length);
    expect(stripped(bytes)).toBeUndefined();
  });
});
