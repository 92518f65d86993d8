/** Writes model.onnx: a small classifier with made-up weights, for a first try without an export. */
import { writeFileSync } from 'node:fs';

const WIDTHS = [4, 64, 64, 64, 3];

// Just enough of https://protobuf.dev/programming-guides/encoding. The field numbers are those of onnx.proto.
function varint(value: number): Buffer {
  if (value < 128) return Buffer.of(value);
  return Buffer.concat([Buffer.of((value % 128) + 128), varint(Math.floor(value / 128))]);
}

function int(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function bytes(field: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
}

function node(opType: string, inputs: readonly string[], output: string): Buffer {
  return bytes(
    1,
    ...inputs.map((input) => bytes(1, input)),
    bytes(2, output),
    bytes(3, output),
    bytes(4, opType),
  );
}

function weights(name: string, dims: readonly number[]): Buffer {
  const length = dims.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length }, (_, index) => Math.sin(index + 1) / 4);
  return bytes(
    5,
    ...dims.map((size) => int(1, size)),
    int(2, 1),
    bytes(8, name),
    bytes(9, Buffer.from(values.buffer)),
  );
}

/** A float32 input (field 11) or output (field 12) of the shape [batch, columns]. */
function value(field: number, name: string, columns: number): Buffer {
  const shape = bytes(2, bytes(1, bytes(2, 'batch')), bytes(1, int(1, columns)));
  return bytes(field, bytes(1, name), bytes(2, bytes(1, int(1, 1), shape)));
}

const parts = [bytes(2, 'classifier'), value(11, 'features', WIDTHS[0]), value(12, 'probabilities', 3)];
let current = 'features';
for (let layer = 1; layer < WIDTHS.length; layer++) {
  parts.push(
    weights(`weights${layer}`, [WIDTHS[layer - 1], WIDTHS[layer]]),
    weights(`bias${layer}`, [WIDTHS[layer]]),
  );
  parts.push(node('Gemm', [current, `weights${layer}`, `bias${layer}`], `sums${layer}`));
  const isLast = layer === WIDTHS.length - 1;
  current = isLast ? 'probabilities' : `hidden${layer}`;
  parts.push(node(isLast ? 'Softmax' : 'Relu', [`sums${layer}`], current));
}
// IR version 8, opset 17.
writeFileSync('model.onnx', Buffer.concat([int(1, 8), bytes(7, ...parts), bytes(8, int(2, 17))]));
