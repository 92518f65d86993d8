/** Files that are no model, damaged models and models that reach outside: each gets one clear line. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { Writer } from 'protobufjs/minimal';
import { SlicedInferenceError } from '../../lib/errors';
import { parseModel } from '../../lib/onnx/parse';
import type { ModelInit } from '../model-builder';
import { FLOAT, encodeModel, floats, mlp, node, saveModel, temporaryFolder, value } from '../model-builder';

function refusal(model: ModelInit | Uint8Array): string {
  return message(saveModel(model));
}

function message(file: string): string {
  try {
    parseModel(file);
  } catch (error) {
    expect(error).toBeInstanceOf(SlicedInferenceError);
    return (error as Error).message.replaceAll(path.dirname(file), 'DIR');
  }
  throw new Error('the model was read');
}

const io = { input: [value('x', FLOAT, [4])], output: [value('y', FLOAT)] };

describe('files that are no model', () => {
  test('a missing file', () => {
    expect(message(path.join(temporaryFolder(), 'none.onnx'))).toBe(
      "model 'DIR/none.onnx' must be an ONNX file, got no such file or folder: check the path",
    );
  });

  test('a folder', () => {
    const folder = path.join(temporaryFolder(), 'model');
    fs.mkdirSync(folder);
    expect(message(folder)).toBe(
      "model 'DIR/model' must be an ONNX file, got a folder: name the .onnx file itself",
    );
  });

  test('an empty file', () => {
    expect(refusal(new Uint8Array())).toBe(
      "model 'DIR/model.onnx' must be an ONNX file, got an empty file: copy or download it again",
    );
  });

  test('a Git LFS pointer', () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n';
    expect(refusal(Buffer.from(pointer))).toBe(
      "model 'DIR/model.onnx' must be an ONNX file, got a Git LFS pointer to one: run `git lfs pull` in its repository",
    );
  });

  test.each([
    ['text', Buffer.from('this is no model, but a sentence')],
    ['JSON', Buffer.from('{"ir_version": 8}')],
    ['a PNG', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13])],
    ['zeros', Buffer.alloc(64)],
    ['a zip', Buffer.from('PK\u0003\u0004 and so on')],
  ])('%s', (_, bytes) => {
    expect(refusal(bytes)).toMatch(/^model 'DIR\/model.onnx' must be (an|a whole) ONNX file, got /);
  });

  test('a message with neither version nor graph', () => {
    expect(refusal(Buffer.from([0x12, 1, 65]))).toBe(
      "model 'DIR/model.onnx' must be an ONNX file, got a file without an IR version: export the model as ONNX protobuf",
    );
  });

  test('an IR version of the future', () => {
    expect(refusal({ ...mlp(1), irVersion: 99 })).toBe(
      "model 'DIR/model.onnx' must have an IR version from 1 to 13, got 99: export it with a lower `ir_version`",
    );
  });
});

describe('damaged models', () => {
  test('a truncated model', () => {
    const whole = encodeModel(mlp(2));
    expect(refusal(whole.subarray(0, 500))).toMatch(
      /^model 'DIR\/model.onnx' must be a whole ONNX file, got a truncated one of 500 bytes \(.*\): copy or download it again$/,
    );
  });

  test('every truncation is an error of its own kind, never a crash', () => {
    const whole = encodeModel(mlp(1));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (length) => {
        expect(refusal(whole.subarray(0, length))).toMatch(/^model .* must be /);
      }),
      { numRuns: 60 },
    );
  });

  test('every changed byte gives a model or a clear error', () => {
    const whole = encodeModel(mlp(1, 4));
    const file = path.join(temporaryFolder(), 'model.onnx');
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (offset, change) => {
        const copy = Uint8Array.from(whole);
        copy[offset] ^= change;
        fs.writeFileSync(file, copy);
        try {
          parseModel(file);
        } catch (error) {
          expect(error).toBeInstanceOf(SlicedInferenceError);
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    [
      'a tensor whose data does not fit its dims',
      { node: [node('Add', ['x', 'w'], ['y'])], initializer: [{ ...floats('w', [4]), dims: [5] }], ...io },
      "tensor 'w' of type float32 and dims [5] must have 20 bytes, got 16: the file is damaged; export the model again",
    ],
    [
      'negative dims',
      { node: [node('Add', ['x', 'w'], ['y'])], initializer: [{ ...floats('w', [4]), dims: [-4] }], ...io },
      "tensor 'w' must have dims of 0 or more, got [-4]: the file is damaged; export the model again",
    ],
    [
      'dims beyond counting',
      {
        node: [node('Add', ['x', 'w'], ['y'])],
        initializer: [{ ...floats('w', [4]), dims: [2 ** 40, 2 ** 40] }],
        ...io,
      },
      "tensor 'w' must have fewer than 2^49 elements, got dims [1099511627776,1099511627776]: the file is damaged; export the model again",
    ],
    [
      'an undefined name',
      { node: [node('Add', ['x', 'nowhere'], ['y'])], ...io },
      "node 'Add_y' (Add) must use values that the graph defines, got 'nowhere': the file is damaged; export the model again",
    ],
    [
      'an undefined output',
      { node: [node('Abs', ['x'], ['z'])], ...io },
      "output 'y' of the graph must be made by a node or be an input or initializer, got a name that nothing defines: the file is damaged; export the model again",
    ],
    [
      'two makers of one value',
      { node: [node('Abs', ['x'], ['y']), node('Neg', ['x'], ['y'])], ...io },
      "value 'y' of the graph must be defined once, got a second definition: the file is damaged; export the model again",
    ],
    [
      'an unknown element type',
      { node: [node('Add', ['x', 'w'], ['y'])], initializer: [{ ...floats('w', [4]), dataType: 77 }], ...io },
      "tensor 'w' must have an element type of ONNX, got type 77: the file is damaged or newer than this library; export it at a lower opset",
    ],
  ])('%s', (_, graph, expected) => {
    expect(refusal({ graph })).toBe(expected);
  });

  test('graphs nested without end', () => {
    // Field by field, since protobufjs itself refuses to encode so deep a message.
    const field = (number: number, content: Uint8Array): Uint8Array =>
      new Writer()
        .uint32((number << 3) | 2)
        .bytes(content)
        .finish();
    let body: Uint8Array = new Uint8Array();
    for (let depth = 0; depth < 70; depth++)
      body = field(1, Buffer.concat([field(4, Buffer.from('If')), field(5, field(6, body))]));
    expect(
      refusal(Buffer.concat([Buffer.from([0x08, 9]), field(8, Buffer.from([0x10, 17])), field(7, body)])),
    ).toBe('graphs inside attributes may nest 64 deep, got deeper ones: the file is damaged or hostile');
  });
});

describe('external data', () => {
  function modelWith(location: string, entries: Record<string, string> = {}): ModelInit {
    const externalData = Object.entries({ location, ...entries }).map(([key, entry]) => ({
      key,
      value: entry,
    }));
    return {
      graph: {
        node: [node('Add', ['x', 'w'], ['y'])],
        initializer: [{ name: 'w', dataType: FLOAT, dims: [4], dataLocation: 1, externalData }],
        ...io,
      },
    };
  }

  test.each(['../w.bin', '/etc/passwd', 'sub/../../w.bin'])('outside the folder: %s', (location) => {
    expect(refusal(modelWith(location))).toBe(
      `external data of tensor 'w' must stay inside the model's folder, got '${location}': move the file into that folder and export with a relative location`,
    );
  });

  test('outside by a symbolic link', () => {
    const folder = temporaryFolder();
    const outside = path.join(temporaryFolder(), 'w.bin');
    fs.writeFileSync(outside, Buffer.alloc(16));
    fs.symlinkSync(outside, path.join(folder, 'w.bin'));
    expect(message(saveModel(modelWith('w.bin'), 'model.onnx', folder))).toContain(
      "must stay inside the model's folder",
    );
  });

  test('missing', () => {
    expect(refusal(modelWith('w.bin'))).toBe(
      "external data of tensor 'w' lies in 'w.bin' beside the model, got no such file or folder: put the file next to the model",
    );
  });

  test('too short', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'w.bin'), Buffer.alloc(20));
    expect(message(saveModel(modelWith('w.bin', { offset: '8' }), 'model.onnx', folder))).toBe(
      "external data of tensor 'w' needs bytes 8 to 24 of 'w.bin', got a file of 20 bytes: the file is cut short or belongs to another model; copy or download it again",
    );
  });

  test.each([
    [{ length: '12' }, 'must have the 16 bytes of its type and dims, got a length of 12'],
    [{ offset: '-1' }, "must have a whole number of bytes as offset, got '-1'"],
    [
      { offset: '99999999999999999999' },
      "must have a whole number of bytes as offset, got '99999999999999999999'",
    ],
  ])('bad entries %j', (entries, expected) => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'w.bin'), Buffer.alloc(64));
    expect(message(saveModel(modelWith('w.bin', entries), 'model.onnx', folder))).toContain(expected);
  });
});
