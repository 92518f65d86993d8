import * as fs from 'node:fs';
import { ModelProto } from '../../../bench/onnx-schema';
import { ByteSource } from '../../../lib/onnx/wire';
import { withoutBodyTypes } from '../../../lib/shapes/bare-bodies';
import {
  type ModelInit,
  type NodeInit,
  BOOL,
  FLOAT,
  attribute,
  node,
  saveModel,
  value,
} from '../../support/model-builder';

/** The model without these types; `undefined` if it has none. */
function stripped(model: ModelInit | Uint8Array): Buffer | undefined {
  const file = saveModel(model);
  const source = new ByteSource(file);
  try {
    const whole = fs.readFileSync(file);
    const chunks = withoutBodyTypes(source)?.map((chunk) =>
      chunk instanceof Uint8Array ? chunk : whole.subarray(chunk.offset, chunk.offset + chunk.length),
    );
    return chunks && Buffer.concat(chunks);
  } finally {
    source.close();
  }
}

const sequence = { name: 'o', type: { sequenceType: { elemType: { tensorType: { elemType: FLOAT } } } } };

/** A body with or without declared shapes. */
const body = (
  shape: number[] | undefined,
  inner: NodeInit[] = [],
  output: object = value('o', FLOAT, shape),
) => ({
  node: [node('Abs', ['x'], ['m']), node('Neg', ['m'], ['o']), ...inner],
  output: [output],
  ...(shape && { valueInfo: [value('m', FLOAT, shape)] }),
});

const choice = (result: string, bodies: object): NodeInit =>
  node(
    'If',
    ['flag'],
    [result],
    [attribute.graph('then_branch', bodies as never), attribute.graph('else_branch', bodies as never)],
  );

const model = (bodies: object): ModelInit => ({
  graph: {
    node: [choice('y', bodies)],
    input: [value('x', FLOAT, [3]), value('flag', BOOL, [])],
    output: [value('y', FLOAT, [3])],
    valueInfo: [value('y', FLOAT, [3])],
  },
});

describe('a model without the types of its bodies', () => {
  it.each([
    ['a body', body([3]), body(undefined)],
    [
      'a body in a body',
      body([3], [choice('z', body([3]))]),
      body(undefined, [choice('z', body(undefined))]),
    ],
    ['a sequence', body(undefined, [], sequence), body(undefined, [], { name: 'o' })],
  ])('is the model of %s without shapes, and has nothing left to remove', (_, declared, bare) => {
    const bytes = stripped(model(declared)) ?? Buffer.alloc(0);
    const expected = fs.readFileSync(saveModel(model(bare)));
    expect(ModelProto.toObject(ModelProto.decode(bytes))).toEqual(
      ModelProto.toObject(ModelProto.decode(expected)),
    );
    expect(stripped(bytes)).toBeUndefined();
  });

  it('is the model itself if no body declares a shape', () => {
    expect(stripped(model(body(undefined)))).toBeUndefined();
  });
});
