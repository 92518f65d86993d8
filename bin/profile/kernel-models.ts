/** Encodes the two tiny models that tell how fast a machine is: a matrix product, and a graph that computes nothing. */
import { Writer } from 'protobufjs/minimal';
import { ONNX_FLOAT } from '../../lib/onnx/data-type';
import { encodeGraphName, encodeNode, encodeValueInfo, fieldHead } from '../../lib/onnx/encode';
import { GRAPH, MODEL, OPSET, WIRE_TYPE, fieldTag } from '../../lib/onnx/fields';

/** Rows and columns of the matrices: three of them are 3 MiB, which fits into the caches of server processors. */
export const KERNEL_SIZE = 512;

/** Floating-point operations of the product. */
export const KERNEL_FLOPS = 2 * KERNEL_SIZE ** 3;

const IR_VERSION = 8;
const OPSET_VERSION = 17;

/** `y = a b`. Both matrices are inputs. */
export function productModel(): Uint8Array {
  return oneNodeModel('MatMul', ['a', 'b'], [KERNEL_SIZE, KERNEL_SIZE]);
}

/** `y = a` for one float. */
export function emptyModel(): Uint8Array {
  return oneNodeModel('Identity', ['a'], [1]);
}

/** A model of one node, whose inputs and output are float32 of one shape. */
function oneNodeModel(opType: string, inputs: readonly string[], shape: readonly number[]): Uint8Array {
  const type = { dataType: ONNX_FLOAT, shape };
  const graph = Buffer.concat([
    encodeNode(opType, inputs, ['y']),
    encodeGraphName('kernel'),
    ...inputs.map((input) => encodeValueInfo(GRAPH.input, input, type)),
    encodeValueInfo(GRAPH.output, 'y', type),
  ]);
  const opset = integer(OPSET.version, OPSET_VERSION);
  return Buffer.concat([
    integer(MODEL.irVersion, IR_VERSION),
    ...[fieldHead(MODEL.opsetImport, opset.length), opset],
    ...[fieldHead(MODEL.graph, graph.length), graph],
  ]);
}

function integer(field: number, value: number): Uint8Array {
  return new Writer().uint32(fieldTag(field, WIRE_TYPE.varint)).int64(value).finish();
}
