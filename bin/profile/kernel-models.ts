/** Encodes the two tiny models that tell how fast a machine is: a matrix product, and a graph that computes nothing. */
import { Writer } from 'protobufjs/minimal';
import { ONNX_FLOAT } from '../../lib/onnx/data-type';
import { encodeGraphName, encodeValueInfo } from '../../lib/onnx/encode';
import { GRAPH, MODEL, NODE, OPSET, WIRE_TYPE, fieldTag } from '../../lib/onnx/fields';

/** Rows and columns of the matrices: three of them are 3 MiB, which fits into the caches of server processors. */
export const KERNEL_SIZE = 512;

/** Floating-point operations of the product. */
export const KERNEL_FLOPS = 2 * KERNEL_SIZE ** 3;

const IR_VERSION = 8;
const OPSET_VERSION = 17;

interface Kernel {
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly shape: readonly number[];
}

/** `y = a b`. Both matrices are inputs. */
export function productModel(): Uint8Array {
  return oneNodeModel({ opType: 'MatMul', inputs: ['a', 'b'], shape: [KERNEL_SIZE, KERNEL_SIZE] });
}

/** `y = a` for one float. */
export function emptyModel(): Uint8Array {
  return oneNodeModel({ opType: 'Identity', inputs: ['a'], shape: [1] });
}

/** A model of one node, whose inputs and output are float32 of one shape. */
function oneNodeModel({ opType, inputs, shape }: Kernel): Uint8Array {
  const type = { dataType: ONNX_FLOAT, shape };
  const node = new Writer();
  for (const input of inputs) node.uint32(delimited(NODE.input)).string(input);
  node.uint32(delimited(NODE.output)).string('y').uint32(delimited(NODE.opType)).string(opType);
  const graph = Buffer.concat([
    field(GRAPH.node, node.finish()),
    encodeGraphName('kernel'),
    ...inputs.map((input) => encodeValueInfo(GRAPH.input, input, type)),
    encodeValueInfo(GRAPH.output, 'y', type),
  ]);
  const opset = new Writer().uint32(varint(OPSET.version)).int64(OPSET_VERSION).finish();
  return Buffer.concat([
    new Writer().uint32(varint(MODEL.irVersion)).int64(IR_VERSION).finish(),
    field(MODEL.opsetImport, opset),
    field(MODEL.graph, graph),
  ]);
}

function field(number: number, content: Uint8Array): Uint8Array {
  return new Writer().uint32(delimited(number)).bytes(content).finish();
}

function delimited(number: number): number {
  return fieldTag(number, WIRE_TYPE.lengthDelimited);
}

function varint(number: number): number {
  return fieldTag(number, WIRE_TYPE.varint);
}
