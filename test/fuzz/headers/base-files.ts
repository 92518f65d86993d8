/** Valid safetensors files, which the mutations of headers start from. */
import type { TensorDataType } from '../../../contract/tensors';
import { TENSOR_DATA_TYPES } from '../../../contract/tensors';
import { layoutSafetensors } from '../../../lambda/tensors/safetensors';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { elementBytes, elementCount } from '../../../lambda/tensors/tensor';

export type NamedTensors = ReadonlyMap<string, RawTensor>;

interface BaseFile {
  readonly name: string;
  readonly tensors: NamedTensors;
  readonly bytes: Uint8Array;
}

export const BASE_FILES: readonly BaseFile[] = [
  written('all types', new Map(TENSOR_DATA_TYPES.map((dtype) => [dtype, tensor(dtype, [2, 3])]))),
  written('no tensors', new Map()),
  written(
    'no elements',
    new Map([
      ['x', tensor('float32', [0, 3])],
      ['y', tensor('int64', [])],
      ['z', tensor('string', [0])],
    ]),
  ),
  written(
    'odd names',
    new Map(
      ['', '__proto__', 'constructor', 'a\nb', '\u{1f600}', '"\\', 'string_tensor.x', 'tensor_crc32.x'].map(
        (name, index) => [name, tensor(index % 2 === 0 ? 'uint8' : 'float16', [index])],
      ),
    ),
  ),
  // Its tensors are far apart, so that they are read in several ranges.
  written(
    'of a function',
    new Map([
      ['far', tensor('uint8', [300_000])],
      ['near', tensor('float32', [5, 7])],
      ['last', tensor('bool', [9])],
    ]),
    { request_etag: '"3858f62230ac3c915f300c664312c63f"' },
  ),
  ofAnotherProgram(),
];

function written(name: string, tensors: NamedTensors, metadata = {}): BaseFile {
  return { name, tensors, bytes: Buffer.concat(layoutSafetensors(tensors, metadata).parts) };
}

/** A file without checksums and without alignment, as PyTorch writes it. */
function ofAnotherProgram(): BaseFile {
  const header = Buffer.from(
    '{"__metadata__":{"format":"pt"},"b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},' +
      '"w":{"dtype":"F32","shape":[2,2],"data_offsets":[3,19]}}',
  );
  const tensors = new Map<string, RawTensor>([
    ['b', tensor('uint8', [3])],
    ['w', tensor('float32', [2, 2])],
  ]);
  const data = [...tensors.values()].map((own) => ('bytes' in own ? own.bytes : new Uint8Array()));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.byteLength));
  return { name: 'of another program', tensors, bytes: Buffer.concat([length, header, ...data]) };
}

function tensor(dtype: TensorDataType, shape: readonly number[]): RawTensor {
  const count = elementCount(shape);
  if (dtype === 'string') {
    return {
      dtype,
      shape,
      strings: Array.from({ length: count }, (_, index) => `text "${index}" \u{1f600}`),
    };
  }
  const bytes = Uint8Array.from({ length: count * elementBytes(dtype) }, (_, index) =>
    dtype === 'bool' ? index % 2 : (index * 37 + 11) % 251,
  );
  return { dtype, shape, bytes };
}
