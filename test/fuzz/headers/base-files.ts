/** Valid safetensors files, which the mutations of headers start from. */
import { TENSOR_DATA_TYPES, type TensorDataType } from '../../../contract/tensors';
import { layoutSafetensors } from '../../../lambda/tensors/safetensors';
import { elementBytes, elementCount, type RawTensor } from '../../../lambda/tensors/tensor';
import { fileOf } from './header-file';

export type NamedTensors = ReadonlyMap<string, RawTensor>;

interface BaseFile {
  readonly name: string;
  readonly tensors: NamedTensors;
  readonly bytes: Uint8Array;
}

const ODD_NAMES = [
  '',
  '__proto__',
  'constructor',
  'a\nb',
  '\u{1f600}',
  '"\\',
  'string_tensor.x',
  'tensor_crc32.x',
];

export const BASE_FILES: readonly BaseFile[] = [
  written(
    'all types',
    TENSOR_DATA_TYPES.map((dtype) => [dtype, tensor(dtype, [2, 3])]),
  ),
  written('no tensors', []),
  written('no elements', [
    ['x', tensor('float32', [0, 3])],
    ['y', tensor('int64', [])],
    ['z', tensor('string', [0])],
  ]),
  written(
    'odd names',
    ODD_NAMES.map((name, index) => [name, tensor(index % 2 === 0 ? 'uint8' : 'float16', [index])]),
  ),
  // Its tensors are far apart, so that they are read in several ranges.
  written(
    'of a function',
    [
      ['far', tensor('uint8', [300_000])],
      ['near', tensor('float32', [5, 7])],
      ['last', tensor('bool', [9])],
    ],
    { request_etag: '"3858f62230ac3c915f300c664312c63f"' },
  ),
  ofAnotherProgram(),
];

function written(name: string, tensors: readonly (readonly [string, RawTensor])[], metadata = {}): BaseFile {
  const named = new Map(tensors);
  return { name, tensors: named, bytes: Buffer.concat(layoutSafetensors(named, metadata).parts) };
}

/** A file without checksums and without alignment, as PyTorch writes it. */
function ofAnotherProgram(): BaseFile {
  const [b, w] = [tensor('uint8', [3]), tensor('float32', [2, 2])];
  const header = Buffer.from(
    '{"__metadata__":{"format":"pt"},"b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},' +
      '"w":{"dtype":"F32","shape":[2,2],"data_offsets":[3,19]}}',
  );
  const data = Buffer.concat([b, w].map((own) => ('bytes' in own ? own.bytes : new Uint8Array())));
  const tensors = new Map(Object.entries({ b, w }));
  return { name: 'of another program', tensors, bytes: fileOf({ header, data }) };
}

function tensor(dtype: TensorDataType, shape: readonly number[]): RawTensor {
  const count = elementCount(shape);
  if (dtype === 'string')
    return {
      dtype,
      shape,
      strings: Array.from({ length: count }, (_, index) => `text "${index}" \u{1f600}`),
    };
  const bytes = Uint8Array.from({ length: count * elementBytes(dtype) }, (_, index) =>
    dtype === 'bool' ? index % 2 : (index * 37 + 11) % 251,
  );
  return { dtype, shape, bytes };
}
