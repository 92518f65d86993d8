import { NodeLabels, labelNodes } from '../../../bin/profile/label-nodes';
import { ModelProto } from '../../../bench/onnx-schema';
import { FLOAT, attribute, encodeModel, floats, node, value } from '../../support/model-builder';

const LABELS = new NodeLabels('mark');

interface Decoded {
  readonly graph: { readonly node: readonly { readonly name: string; readonly opType: string }[] };
}

function namesOf(bytes: Uint8Array): string[] {
  return (ModelProto.decode(bytes) as unknown as Decoded).graph.node.map(({ name }) => name);
}

describe('labelNodes', () => {
  const model = encodeModel({
    graph: {
      node: [
        { ...node('Relu', ['x'], ['a']), name: '' },
        { ...node('Abs', ['a'], ['b']), name: 'twice' },
        { ...node('Neg', ['b'], ['c']), name: 'twice' },
        { ...node('Add', ['c', 'w'], ['y']), name: 'mark:7' },
      ],
      initializer: [floats('w', [4])],
      input: [value('x', FLOAT, [4])],
      output: [value('y', FLOAT, [4])],
    },
  });
  const producers = new Map([
    ['a', 3],
    ['b', 1],
    ['c', 2],
  ]);
  const labeled = labelNodes(model, LABELS, (name) => producers.get(name));

  it('names nodes by the values that they compute, whatever their own names are', () => {
    expect(namesOf(labeled)).toEqual(['mark:3', 'mark:1', 'mark:2', '']);
  });

  it('changes nothing but names', () => {
    const unnamed = (bytes: Uint8Array): unknown => {
      const { graph, ...rest } = ModelProto.toObject(ModelProto.decode(bytes)) as Decoded;
      return { ...rest, graph: { ...graph, node: graph.node.map((one) => ({ ...one, name: '' })) } };
    };
    expect(unnamed(labeled)).toEqual(unnamed(model));
  });

  it('leaves the nodes of bodies alone', () => {
    const body = { node: [node('Relu', ['x'], ['b'])], output: [value('b', FLOAT)] };
    const attributes = [attribute.graph('then_branch', body), attribute.graph('else_branch', body)];
    const choice = encodeModel({
      graph: {
        node: [node('If', ['c'], ['y'], attributes)],
        input: [value('c', 9, []), value('x', FLOAT, [4])],
        output: [value('y', FLOAT)],
      },
    });
    const text = Buffer.from(labelNodes(choice, LABELS, () => 0)).toString('latin1');
    expect(text).toContain('mark:0');
    expect(text.match(/Relu_b/g)).toHaveLength(2);
  });
});

describe('NodeLabels', () => {
  it('recognizes its own labels alone', () => {
    expect(LABELS.nodeOf(LABELS.of(12))).toBe(12);
    expect(LABELS.nodeOf('Relu_12')).toBeUndefined();
    expect(new NodeLabels('other').nodeOf(LABELS.of(12))).toBeUndefined();
  });
});
