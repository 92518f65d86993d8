import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { zipSync } from 'fflate';
import { Writer } from 'protobufjs/minimal';
import { isWritableTensorFile, readTensorFile, writeTensorFile } from '../../../bin/tensor-files';
import { decodeNpz, encodeNpz } from '../../../bin/tensor-files/npz';
import { encodeNpy } from '../../../bin/tensor-files/npy';
import type { TensorSpec } from '../../../contract/tensors';
import type { RawTensor } from '../../../lambda/tensors/tensor';
import { comparable, namedTensors } from '../../support/arbitrary-tensors';

/** Inputs of a model with these names. */
function inputs(...names: readonly string[]): TensorSpec[] {
  return names.map((name) => ({ name, dtype: 'float32', shape: null }));
}

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'tensor-files-'))));
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const x: RawTensor = { dtype: 'int16', shape: [2], bytes: Uint8Array.of(1, 0, 255, 255) };
const who: RawTensor = { dtype: 'string', shape: [], strings: ['ü'] };

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A TensorProto of one bool. */
function proto(name: string | undefined, value: number): Uint8Array {
  const writer = Writer.create().uint32(16).int32(9).uint32(74).bytes(Buffer.of(value));
  return (name === undefined ? writer : writer.uint32(66).string(name)).finish();
}

function bool(value: number): RawTensor {
  return { dtype: 'bool', shape: [], bytes: Uint8Array.of(value) };
}

describe('a tensor file', () => {
  it.each(['.safetensors', '.npz', '.json', '.NPZ'])(
    '%s returns the tensors that were written',
    async (extension) => {
      const tensors = new Map<string, RawTensor>([
        ['x', x],
        ['who', who],
      ]);
      const path = join(folder, `t${extension}`);
      await writeTensorFile(path, tensors);
      expect(comparable(await readTensorFile(path, []))).toEqual(comparable(tensors));
    },
  );

  it('.npy holds the only input of its model', async () => {
    const path = write('a.npy', encodeNpy(x));
    expect(comparable(await readTensorFile(path, inputs('image')))).toEqual(
      comparable(new Map([['image', x]])),
    );
    await expect(readTensorFile(path, inputs('a', 'b'))).rejects.toThrow(
      `tensor file '${path}' must be a file that names its tensors, got an .npy for a model of 2 inputs: use .npz or .safetensors with 'a', 'b'`,
    );
  });

  it('.json may be written by hand', async () => {
    const path = write('a.json', '{"x": {"dtype": "int16", "shape": [2], "data": [1, -1]}}');
    expect(comparable(await readTensorFile(path, []))).toEqual(comparable(new Map([['x', x]])));
  });

  it.each<[string, string | Uint8Array, string]>([
    ['a.json', '{', 'got text that is not JSON'],
    ['a.json', '[]', 'must be a JSON object, got a list of length 0'],
    ['a.json', '{"x": {"dtype": "int8", "shape": [1], "data": [300]}}', "'data' of tensor 'x' must be"],
    [
      'a.safetensors',
      'text',
      'must be a safetensors file, got invalid content (a safetensors file has at least 8 bytes',
    ],
    ['a.npz', 'text', 'must be an .npz archive, got a broken zip'],
    ['a.npz', zipSync({ 'x.txt': Buffer.from('x') }), "got an entry 'x.txt'"],
    ['a.npz', zipSync({ 'x.npy': Buffer.from('x') }), "must be an .npy array in 'x.npy', got other content"],
    ['a.npy', 'text', 'must be an .npy array'],
    ['a.bin', 'text', 'must be one of .safetensors, .npz, .npy, .json or a folder of input_N.pb, got .bin'],
    ['a', 'text', 'got no extension'],
  ])('%s with bad content (%#) is refused with its path', async (name, content, message) => {
    const path = write(name, content);
    await expect(readTensorFile(path, inputs('x'))).rejects.toMatchObject({ name: 'SlicedInferenceError' });
    await expect(readTensorFile(path, inputs('x'))).rejects.toThrow(message);
    await expect(readTensorFile(path, inputs('x'))).rejects.toThrow(path);
  });

  it('that is missing is refused with its path', async () => {
    const path = join(folder, 'none.npz');
    await expect(readTensorFile(path, [])).rejects.toThrow(
      `tensor file '${path}' must be readable, got no such file or folder: check the path`,
    );
  });

  it('is not written with an unknown extension or into a missing folder', async () => {
    await expect(writeTensorFile(join(folder, 'a.npy'), new Map())).rejects.toThrow(
      'to be written, got .npy',
    );
    await expect(writeTensorFile(join(folder, 'none', 'a.npz'), new Map())).rejects.toThrow(
      '--out must name a file that can be written, got no such file or folder',
    );
    expect(['a.npz', 'a.json', 'a.SAFETENSORS', 'a.npy', 'a'].map(isWritableTensorFile)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('an .npz archive', () => {
  it('returns every tensor that was encoded', () => {
    fc.assert(
      fc.property(namedTensors, (tensors) => {
        expect(comparable(decodeNpz(encodeNpz(tensors)))).toEqual(comparable(tensors));
      }),
    );
  });

  it('of the same tensors has the same bytes', () => {
    expect(encodeNpz(new Map([['x', x]]))).toEqual(encodeNpz(new Map([['x', x]])));
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

describe('a folder of input_N.pb', () => {
  it('names tensors as their files do, or else by their position', async () => {
    write('input_0.pb', proto(undefined, 0));
    write('input_1.pb', proto('flag', 1));
    write('input_10.pb', proto('last', 1));
    write('output_0.pb', 'not read');
    expect(comparable(await readTensorFile(folder, inputs('first', 'second')))).toEqual(
      comparable(
        new Map([
          ['first', bool(0)],
          ['flag', bool(1)],
          ['last', bool(1)],
        ]),
      ),
    );
  });

  it('without such files is refused', async () => {
    mkdirSync(join(folder, 'deeper'));
    await expect(readTensorFile(folder, inputs('x'))).rejects.toThrow(
      'must have input_0.pb and so on, got 1 other files',
    );
  });

  it('with more files than the model has inputs is refused', async () => {
    write('input_1.pb', proto(undefined, 0));
    await expect(readTensorFile(folder, inputs('x'))).rejects.toThrow(
      "must have the number of one of the model's 1 inputs, got number 1",
    );
  });

  it('with two tensors of one name is refused', async () => {
    write('input_0.pb', proto('x', 0));
    write('input_1.pb', proto('x', 0));
    await expect(readTensorFile(folder, inputs('x'))).rejects.toThrow("got 'x' again");
  });

  it('with a bad file is refused with the path of that file', async () => {
    const path = write('input_0.pb', 'text');
    await expect(readTensorFile(folder, inputs('x'))).rejects.toThrow(
      `tensor file '${path}' must be an ONNX TensorProto`,
    );
  });
});

const corpus = join(__dirname, '../../../../shared/corpus');
const testIfCorpus = existsSync(corpus) ? it : it.skip;

testIfCorpus('the test data sets of real models are read completely', async () => {
  const folders = readdirSync(corpus)
    .map((model) => join(corpus, model, 'test_data_set_0'))
    .filter((path) => existsSync(join(path, 'input_0.pb')));
  expect(folders.length).toBeGreaterThan(0);
  const names = inputs(...Array.from({ length: 100 }, (_, index) => `input ${index}`));
  for (const path of folders) {
    const files = readdirSync(path).filter((name) => name.startsWith('input_'));
    expect((await readTensorFile(path, names)).size).toBe(files.length);
  }
});
