import { join } from 'node:path';
import * as fc from 'fast-check';
import { zipSync } from 'fflate';
import {
  decodeNpz,
  encodeNpz,
  isWritableTensorFile,
  readTensorFile,
  writeTensorFile,
} from '../../../bin/tensor-files';
import { encodeNpy } from '../../../bin/tensor-files/npy';
import type { TensorSpec } from '../../../contract/tensors';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { comparable, namedTensors } from '../../support/arbitrary-tensors';
import { fileWith } from '../../support/changed-json';
import { temporaryFolder } from '../../support/temporary-folder';

/** Inputs of a model with these names. */
function inputs(...names: readonly string[]): TensorSpec[] {
  return names.map((name) => ({ name, dtype: 'float32', shape: null }));
}

let folder: string;
beforeEach(() => (folder = temporaryFolder()));

const x: RawTensor = { dtype: 'int16', shape: [2], bytes: Uint8Array.of(1, 0, 255, 255) };
const who: RawTensor = { dtype: 'string', shape: [], strings: ['ü'] };

describe('a tensor file', () => {
  it.each(['.safetensors', '.npz', '.json', '.NPZ'])(
    '%s returns the tensors that were written',
    async (name) => {
      const tensors = new Map<string, RawTensor>(Object.entries({ x, who }));
      const path = join(folder, `t${name}`);
      await writeTensorFile(path, tensors);
      expect(comparable(await readTensorFile(path, []))).toEqual(comparable(tensors));
    },
  );

  it('.npy holds the only input of its model', async () => {
    const path = fileWith(encodeNpy(x), 'a.npy');
    expect([...(await readTensorFile(path, inputs('image'))).keys()]).toEqual(['image']);
    await expect(readTensorFile(path, inputs('a', 'b'))).rejects.toThrow(
      `tensor file '${path}' must be a file that names its tensors, got an .npy for a model of 2 inputs: use .npz or .safetensors with 'a', 'b'`,
    );
  });

  it.each<[string, string | Uint8Array | undefined, string]>([
    ['a.json', '{', 'got text that is not JSON'],
    ['a.safetensors', 'text', 'must be a safetensors file, got invalid content (a safetensors file has at'],
    ['a.npz', 'text', 'must be an .npz archive, got a broken zip'],
    ['a.npz', zipSync({ 'x.txt': Buffer.from('x') }), "got an entry 'x.txt'"],
    ['a.npz', zipSync({ 'x.npy': Buffer.from('x') }), "must be an .npy array in 'x.npy', got other content"],
    ['a.bin', 'text', 'must be one of .safetensors, .npz, .npy, .json, got .bin'],
    ['none.npz', undefined, 'must be readable, got no such file or folder: check the path'],
  ])('%s with bad content (%#) is refused with its path', async (name, content, message) => {
    const path = content === undefined ? join(folder, name) : fileWith(content, name);
    const error = await readTensorFile(path, inputs('x')).catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({
      name: 'SlicedInferenceError',
      message: expect.stringContaining(path) as string,
    });
    expect((error as Error).message).toContain(message);
  });

  it('is not written with an unknown extension or into a missing folder', async () => {
    await expect(writeTensorFile(join(folder, 'a.npy'), new Map())).rejects.toThrow(
      'must be one of .safetensors, .npz, .json, got .npy',
    );
    await expect(writeTensorFile(join(folder, 'none', 'a.npz'), new Map())).rejects.toThrow(
      '--out must name a file that can be written, got no such file or folder',
    );
    const names = ['a.npz', 'a.json', 'a.SAFETENSORS', 'a.npy', 'a'];
    expect(names.filter(isWritableTensorFile)).toEqual(['a.npz', 'a.json', 'a.SAFETENSORS']);
  });
});

describe('an .npz archive', () => {
  it('returns every tensor that was encoded', () => {
    fc.assert(
      fc.property(namedTensors, (tensors) => {
        const archive = encodeNpz(tensors);
        expect(comparable(decodeNpz(archive))).toEqual(comparable(tensors));
        expect(encodeNpz(tensors)).toEqual(archive);
      }),
    );
  });

  it('may be compressed', () => {
    const archive = zipSync({ 'x.npy': encodeNpy(x) }, { level: 9 });
    expect(comparable(decodeNpz(archive))).toEqual(comparable(new Map([['x', x]])));
  });

  it('that claims to unpack to gigabytes is refused before it is unpacked', () => {
    const archive = zipSync({ 'x.npy': encodeNpy(x) });
    const directory = Buffer.from(archive.buffer).indexOf(Buffer.from('PK\x01\x02', 'latin1'));
    new DataView(archive.buffer).setUint32(directory + 24, 0xfffffff0, true);
    expect(() => decodeNpz(archive)).toThrow('at most 2147483648 bytes unpacked, got more');
  });
});
