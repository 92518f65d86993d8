/** Reads an accepted safetensors file with as little code as possible, to compare it with what the library returns. */
import { crc32 } from 'node:zlib';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import type { NamedTensors } from './base-files';
import { partsOf } from './header-file';

interface Stored {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [begin: number, end: number];
}

const STRINGS = 'string_tensor.';

/** @throws if the library should have refused the file, or returned other tensors */
export function checkTensors(file: Uint8Array, tensors: NamedTensors): void {
  const { header, data } = partsOf(file);
  const text = new TextDecoder('utf-8', { fatal: true }).decode(header);
  const { __metadata__: metadata = {}, ...stored } = JSON.parse(text) as Record<string, object>;
  const notes = new Map(Object.entries(metadata as Record<string, string>));
  // `Object.entries`, because a tensor may have the name `__proto__`.
  const numeric = Object.entries(stored) as [string, Stored][];
  const strings = [...notes.keys()].filter((key) => key.startsWith(STRINGS));
  let bytes = 0;
  for (const [name, { dtype, shape, data_offsets }] of numeric) {
    const [begin, end] = data_offsets;
    const own = data.subarray(begin, end);
    const tensor = tensors.get(name);
    // Such as `F32` of float32.
    const [bits] = /\d+/.exec(tensor?.dtype ?? '') ?? ['8'];
    const code = tensor?.dtype === 'bool' ? 'BOOL' : `${tensor?.dtype.slice(0, 1).toUpperCase()}${bits}`;
    const sum = notes.get(`tensor_crc32.${name}`);
    bytes += own.byteLength;
    check(
      own.byteLength === end - begin && own.byteLength === (Number(bits) / 8) * product(shape),
      name,
      'length',
    );
    check(sum === undefined || sum === crc32(own).toString(16).padStart(8, '0'), name, 'checksum');
    check(code === dtype, name, 'type');
    check(sameTensor(tensor, { dtype: tensor?.dtype, shape, bytes: own } as RawTensor), name, 'value');
  }
  for (const key of strings) {
    const name = key.slice(STRINGS.length);
    const { shape, data: items } = JSON.parse(notes.get(key) ?? '') as { shape: number[]; data: string[] };
    check(sameTensor(tensors.get(name), { dtype: 'string', shape, strings: items }), name, 'value');
  }
  check(bytes === data.byteLength, 'data', 'length');
  check(tensors.size === numeric.length + strings.length, 'file', 'number of tensors');
}

function check(isRight: boolean, name: string, what: string): void {
  if (!isRight) throw new Error(`accepted ${JSON.stringify(name)} with a wrong ${what}`);
}

function product(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

export function sameTensors(a: NamedTensors, b: NamedTensors): boolean {
  return a.size === b.size && [...a].every(([name, tensor]) => sameTensor(tensor, b.get(name)));
}

function sameTensor(a: RawTensor | undefined, b: RawTensor | undefined): boolean {
  if (a === undefined || a.dtype !== b?.dtype || a.shape.join() !== b.shape.join()) return false;
  if ('strings' in a) return 'strings' in b && JSON.stringify(a.strings) === JSON.stringify(b.strings);
  return 'bytes' in b && Buffer.compare(a.bytes, b.bytes) === 0;
}
