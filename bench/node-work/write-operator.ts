/** Writes a model of one operator. */
import * as fs from 'node:fs';
import { ModelProto } from '../onnx-schema';
import type { OperatorCase } from './operator-tensors';
import { FLOAT, INT64, BYTES } from './operator-tensors';

/** How often the operator is in its model: one small node would vanish beside the call of ONNX Runtime. */
export const OPERATOR_COPIES = 8;

/** Writes a model with embedded weights. Nodes with an even index are the operator. */
export function writeOperator(file: string, operator: OperatorCase): void {
  const { opType, domain = '', inputs, outputs = 1, attributes = [] } = operator;
  // An input of no elements is an omitted one.
  const names = inputs.map(({ shape }, index) => (shape[0] === 0 ? '' : `x${index}`));
  const copies = Array.from({ length: OPERATOR_COPIES }, (_, copy) => copy);
  const declared = (name: string, elemType: number, shape?: readonly number[]): object => ({
    name,
    type: {
      tensorType: { elemType, ...(shape && { shape: { dim: shape.map((dimValue) => ({ dimValue })) } }) },
    },
  });
  const named = inputs
    .map((tensor, index) => ({ ...tensor, name: names[index] }))
    .filter(({ name }) => name !== '');
  const graph = {
    name: 'operator',
    // The result stays inside: memory for an output is new in each run, and takes longer to fill than a kernel to compute.
    node: copies.flatMap((copy) => [
      {
        opType,
        domain,
        input: names,
        output: Array.from({ length: outputs }, (_, index) => `y${copy}-${index}`),
        attribute: attributes,
      },
      { opType: 'Shape', input: [`y${copy}-0`], output: [`shape${copy}`] },
    ]),
    initializer: named.flatMap(({ name, dtype, shape, values }) =>
      values === undefined
        ? []
        : [{ name, dataType: dtype, dims: shape, rawData: rawData(dtype, shape, values) }],
    ),
    input: named
      .filter(({ values }) => values === undefined)
      .map(({ name, dtype, shape }) => declared(name, dtype, shape)),
    output: copies.map((copy) => declared(`shape${copy}`, INT64)),
  };
  const opsetImport = [
    { domain: '', version: 17 },
    { domain: 'com.microsoft', version: 1 },
  ];
  fs.writeFileSync(
    file,
    ModelProto.encode(
      ModelProto.create({ irVersion: 8, producerName: 'bench', opsetImport, graph }),
    ).finish(),
  );
}

function rawData(dtype: number, shape: readonly number[], values: (index: number) => number): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const bytes = Buffer.alloc(count * BYTES[dtype]);
  for (let index = 0; index < count; index++) {
    const value = values(index);
    if (dtype === FLOAT) bytes.writeFloatLE(value, index * 4);
    else if (dtype === INT64) bytes.writeBigInt64LE(BigInt(value), index * 8);
    else bytes[index] = value;
  }
  return bytes;
}
