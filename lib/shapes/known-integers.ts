/** Computes small integers and conditions that are the same in each run: from constants, and from sizes that are proven. */
import * as fs from 'node:fs';
import type { Dimension } from '../../contract/tensors';
import { ONNX_INT32, ONNX_INT64 } from '../onnx/data-type';
import type { Model, Node, Tensor, ValueIndex } from '../onnx/model';
import { OMITTED } from '../onnx/model';
import type { Attribute } from './node-content';

/** Elements of a list. A condition is 0 or 1. */
export type KnownIntegers = readonly (number | undefined)[];

/** Exporters compute a condition in about five nodes. More would need more stack. */
const MAX_DEPTH = 32;

/** Shapes have fewer elements. */
const MAX_ELEMENTS = 64;

interface Known {
  readonly model: Model;
  readonly shapeOf: (value: ValueIndex) => readonly Dimension[] | null;
  readonly attributesOf: (node: Node) => ReadonlyMap<string, Attribute>;
}

/** The elements of a scalar or a list, where they are known; `undefined` if not even their number is. */
export function knownIntegers(value: ValueIndex, known: Known, depth = 0): KnownIntegers | undefined {
  if (value === OMITTED || depth > MAX_DEPTH) return undefined;
  const { graph } = known.model;
  const { initializer, input, producer } = graph.values[value];
  // A request may replace the default of an input.
  if (initializer !== undefined)
    return input === undefined ? stored(known.model, graph.initializers[initializer].tensor) : undefined;
  if (producer === undefined) return undefined;
  const node = graph.nodes[producer];
  if (node.domain !== '') return undefined;
  const of = (place: number): KnownIntegers | undefined =>
    knownIntegers(node.inputs.at(place) ?? OMITTED, known, depth + 1);
  switch (node.opType) {
    case 'Constant':
      return node.constant ? stored(known.model, node.constant) : inAttributes(known.attributesOf(node));
    case 'Shape': {
      const shape = known.attributesOf(node).size > 0 ? null : known.shapeOf(node.inputs[0]);
      return shape?.map((size) => (typeof size === 'number' ? size : undefined));
    }
    case 'Identity':
    case 'Squeeze':
    case 'Unsqueeze':
      return of(0);
    case 'Gather':
      return gathered(of(0), of(1));
    case 'Equal':
      return equal(of(0), of(1));
    case 'Not':
      return of(0)?.map((item) => item && 1 - item);
    default:
      return undefined;
  }
}

function inAttributes(attributes: ReadonlyMap<string, Attribute>): KnownIntegers | undefined {
  const own = attributes.get('value_int')?.integer;
  return own === undefined || own > Number.MAX_SAFE_INTEGER ? undefined : [own];
}

function gathered(list?: KnownIntegers, places?: KnownIntegers): KnownIntegers | undefined {
  return list && places?.map((place) => (place === undefined ? undefined : list.at(place)));
}

function equal(one?: KnownIntegers, other?: KnownIntegers): KnownIntegers | undefined {
  if (one?.length !== 1 || other?.length !== 1) return undefined;
  const [a, b] = [one[0], other[0]];
  return [a === undefined || b === undefined ? undefined : Number(a === b)];
}

function stored({ files }: Model, { data, dataType, dims, byteLength }: Tensor): KnownIntegers | undefined {
  const bytesEach = dataType === ONNX_INT64 ? 8 : dataType === ONNX_INT32 ? 4 : undefined;
  if (data === undefined || bytesEach === undefined || dims.length > 1) return undefined;
  const elements = dims.at(0) ?? 1;
  if (elements > MAX_ELEMENTS || byteLength !== elements * bytesEach) return undefined;
  const bytes = Buffer.alloc(byteLength);
  const file = fs.openSync(files[data.file].path, 'r');
  try {
    if (fs.readSync(file, bytes, 0, byteLength, data.offset) < byteLength) return undefined;
  } finally {
    fs.closeSync(file);
  }
  return Array.from({ length: elements }, (_, index) =>
    bytesEach === 8 ? safeInteger(bytes.readBigInt64LE(8 * index)) : bytes.readInt32LE(4 * index),
  );
}

function safeInteger(integer: bigint): number | undefined {
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : undefined;
}
