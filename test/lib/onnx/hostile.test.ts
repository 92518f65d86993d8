/** The parser refuses other files, damaged models and hostile models, each with one clear line. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as fc from 'fast-check';
import { Writer } from 'protobufjs/minimal';
import { SlicedInferenceError } from '../../../lib/errors';
import { MAX_FUNCTION_DEPTH, MAX_NODES, MAX_NODE_ATTRIBUTES, MAX_USES } from '../../../lib/onnx/limits';
import { parseModel } from '../../../lib/onnx/parse';
import { analyzeDataflow } from '../../../lib/dataflow/dataflow';
import { readFreshFilesAtOnce } from '../../support/inference/fast-analysis';
import {
  type ModelInit,
  FLOAT,
  encodeModel,
  floats,
  mlp,
  node,
  saveModel,
  temporaryFolder,
  value,
} from '../../support/model-builder';

readFreshFilesAtOnce();

function refusal(model: ModelInit | Uint8Array): string {
  return message(saveModel(model));
}

function message(file: string): string {
  try {
    analyzeDataflow(parseModel(file));
  } catch (error) {
    expect(error).toBeInstanceOf(SlicedInferenceError);
    return (error as Error).message.replaceAll(path.dirname(file), 'DIR');
  }
  throw new Error('the model was read');
}

/** A length-delimited field. */
function field(number: number, content: Uint8Array | string): Uint8Array {
  return new Writer()
    .uint32((number << 3) | 2)
    .bytes(typeof content === 'string' ? Buffer.from(content) : content)
    .finish();
}

function integer(number: number, value: number): Uint8Array {
  return new Writer()
    .uint32(number << 3)
    .int64(value)
    .finish();
}

/** A model from raw fields of its graph, because protobufjs refuses to write some malformed fields. */
function rawModel(...graph: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([integer(1, 9), field(8, integer(2, 17)), field(7, Buffer.concat(graph))]);
}

function rawNode(...fields: readonly Uint8Array[]): Uint8Array {
  return field(1, Buffer.concat([field(4, 'Abs'), ...fields]));
}

/** The same field many times. */
function repeated(count: number, one: Uint8Array): Uint8Array {
  return Buffer.concat(Array.from({ length: count }, () => one));
}

const io = { input: [value('x', FLOAT, [4])], output: [value('y', FLOAT)] };

describe('parseModel, with files that are not models', () => {
  test('refuses a missing file', () => {
    expect(message(path.join(temporaryFolder(), 'none.onnx'))).toBe(
      "model 'DIR/none.onnx' must be an ONNX file, got no such file or folder: check the path",
    );
  });

  test('refuses a folder', () => {
    const folder = path.join(temporaryFolder(), 'model');
    fs.mkdirSync(folder);
    expect(message(folder)).toBe(
      "model 'DIR/model' must be an ONNX file, got a folder: pass the path of the .onnx file",
    );
  });

  test('refuses an empty file', () => {
    expect(refusal(new Uint8Array())).toBe(
      "model 'DIR/model.onnx' must be an ONNX file, got an empty file: copy or download it again",
    );
  });

  test('refuses a Git LFS pointer', () => {
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
  ])('refuses %s', (_, bytes) => {
    expect(refusal(bytes)).toMatch(/^model 'DIR\/model.onnx' must be (an|a whole) ONNX file, got /);
  });

  test('refuses a message without an IR version', () => {
    expect(refusal(Buffer.from([0x12, 1, 65]))).toBe(
      "model 'DIR/model.onnx' must be an ONNX file, got a file without an IR version: export the model as ONNX protobuf",
    );
  });

  test('refuses an IR version of the future', () => {
    expect(refusal({ ...mlp(1), irVersion: 99 })).toBe(
      "model 'DIR/model.onnx' must have an IR version from 1 to 13, got 99: export it with a lower `ir_version`",
    );
  });
});

describe('parseModel, with damaged models', () => {
  test('refuses a truncated model', () => {
    const whole = encodeModel(mlp(2));
    expect(refusal(whole.subarray(0, 500))).toMatch(
      /^model 'DIR\/model.onnx' must be a whole ONNX file, got a truncated file of 500 bytes \(.*\): copy or download it again$/,
    );
  });

  test('refuses a model truncated at any byte with an error that names the model', () => {
    const whole = encodeModel(mlp(1));
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (length) => {
        expect(refusal(whole.subarray(0, length))).toMatch(/^model .* must be /);
      }),
      { numRuns: 60 },
    );
  });

  test('reads a model with any changed byte or refuses it with a SlicedInferenceError', () => {
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
      'dims of too many elements',
      {
        node: [node('Add', ['x', 'w'], ['y'])],
        initializer: [{ ...floats('w', [4]), dims: [2 ** 40, 2 ** 40] }],
        ...io,
      },
      "tensor 'w' must have fewer than 2^49 elements, got dims [1099511627776,1099511627776]: the file is damaged; export the model again",
    ],
    [
      'a node that uses an undefined value',
      { node: [node('Add', ['x', 'nowhere'], ['y'])], ...io },
      "node 'Add_y' (Add) must use values that the graph defines, got 'nowhere': the file is damaged; export the model again",
    ],
    [
      'an undefined output of the graph',
      { node: [node('Abs', ['x'], ['z'])], ...io },
      "output 'y' of the graph must be the output of a node, an input or an initializer, got a name that nothing defines: the file is damaged; export the model again",
    ],
    [
      'a value with two producers',
      { node: [node('Abs', ['x'], ['y']), node('Neg', ['x'], ['y'])], ...io },
      "value 'y' of the graph must be defined once, got node 'Abs_y' (Abs) and node 'Neg_y' (Neg): the file is damaged; export the model again",
    ],
    [
      'a node that uses its own output',
      { node: [node('Add', ['x', 'y'], ['y'])], ...io },
      "node 'Add_y' (Add) must not depend on itself, got a cyclic graph: the file is damaged; export the model again",
    ],
    [
      'a cycle of nodes',
      { node: [node('Add', ['x', 'b'], ['a']), node('Abs', ['a'], ['b']), node('Abs', ['b'], ['y'])], ...io },
      "node 'Add_a' (Add) must not depend on itself, got a cyclic graph: the file is damaged; export the model again",
    ],
    [
      'a duplicate output',
      { node: [node('Abs', ['x'], ['y'])], input: io.input, output: [...io.output, ...io.output] },
      "output 'y' of the graph must be defined once, got two entries in the list of outputs: ONNX Runtime takes one of the two and at most warns; delete the one that is not meant",
    ],
    [
      'a duplicate input',
      { node: [node('Abs', ['x'], ['y'])], input: [...io.input, ...io.input], output: io.output },
      "input 'x' of the graph must be defined once, got two inputs: the file is damaged; export the model again",
    ],
    [
      'a duplicate initializer',
      {
        node: [node('Add', ['x', 'w'], ['y'])],
        initializer: [floats('w', [4]), floats('w', [4])],
        ...io,
      },
      "initializer 'w' of the graph must be defined once, got two initializers: ONNX Runtime takes one of the two and at most warns; delete the one that is not meant",
    ],
    [
      'a constant that is an initializer too, which ONNX Runtime loads',
      {
        node: [
          node('Constant', [], ['w'], [{ name: 'value', t: floats('', [4]), type: 4 }]),
          node('Add', ['x', 'w'], ['y']),
        ],
        initializer: [floats('w', [4])],
        ...io,
      },
      "value 'w' of the graph must be defined once, got an initializer and node 'Constant_w' (Constant): ONNX Runtime takes one of the two and at most warns; delete the one that is not meant",
    ],
    [
      'names with control characters, which the error escapes',
      { node: [{ ...node('Ab\ns', ['no\u202ewhere'], ['y']), name: '' }], ...io },
      "Ab\\x0as node 0 must use values that the graph defines, got 'no\\u202ewhere': the file is damaged; export the model again",
    ],
    [
      'an unknown element type',
      { node: [node('Add', ['x', 'w'], ['y'])], initializer: [{ ...floats('w', [4]), dataType: 77 }], ...io },
      "tensor 'w' must have an element type of ONNX, got type 77: the file is damaged or newer than this library; export it at a lower opset",
    ],
  ])('refuses %s', (_, graph, expected) => {
    expect(refusal({ graph })).toBe(expected);
  });

  test('refuses graphs that nest too deep', () => {
    let body: Uint8Array = new Uint8Array();
    for (let depth = 0; depth < 2000; depth++)
      body = field(1, Buffer.concat([field(4, 'If'), field(5, field(6, body))]));
    expect(refusal(rawModel(body))).toBe(
      'graphs inside attributes must nest at most 64 deep, got deeper nesting: the file is damaged or hostile',
    );
  });
});

describe('parseModel, with malformed or ambiguous protobuf', () => {
  const damage = (reason: string): string =>
    `model 'DIR/model.onnx' must be a whole ONNX file, got bytes of another format (${reason}): export the model as ONNX protobuf`;

  test.each([
    ['2^31 - 1', 2 ** 31 - 1],
    ['2^40', 2 ** 40],
    ['2^62', 2 ** 62],
    ['2^64 - 1', -1],
  ])('refuses a field with a length of %s', (_, length) => {
    const bomb = Buffer.concat([Buffer.from([0x0a]), new Writer().int64(length).finish()]);
    expect(refusal(rawModel(bomb))).toMatch(/\(the field at byte 8 ends after its message\)/);
  });

  test('refuses a field that is longer than its message', () => {
    // A node of 2 bytes starts a name of 9 bytes. The file is long enough for the name, but the node is not.
    const bytes = rawModel(field(1, Buffer.from([0x1a, 9])), field(2, 'long enough'));
    expect(refusal(bytes)).toBe(damage('the field at byte 10 ends after its message'));
  });

  test('refuses a varint of 11 bytes', () => {
    const long = Buffer.concat([Buffer.from([0x08]), Buffer.alloc(10, 0xff), Buffer.from([1])]);
    expect(refusal(rawModel(long))).toBe(damage('the varint at byte 9 is longer than 10 bytes'));
  });

  test('refuses a group', () => {
    expect(refusal(rawModel(Buffer.from([0x0b, 0x0c])))).toBe(
      damage('byte 8 starts a field of unknown wire type 3'),
    );
  });

  test.each([
    [
      'a node that is an integer',
      integer(1, 5),
      'field 1 at byte 8 must hold a message, text or bytes, not wire type 0',
    ],
    [
      'a name that is an integer',
      rawNode(integer(3, 5)),
      'field 3 at byte 15 must hold a message, text or bytes, not wire type 0',
    ],
    [
      'an element type that is text',
      field(5, Buffer.concat([field(8, 'w'), field(2, 'float')])),
      'field 2 at byte 13 must hold an integer, not wire type 2',
    ],
    [
      'dims of 4 bytes each',
      field(5, Buffer.from([0x0d, 1, 0, 0, 0])),
      'field 1 at byte 10 must hold integers, not wire type 5',
    ],
    [
      'an attribute with two graphs in a field that may occur once',
      rawNode(field(5, Buffer.concat([field(6, ''), field(6, '')]))),
      'field 6 at byte 19 repeats a field that may occur once',
    ],
    [
      'an attribute with two tensors in a field that may occur once',
      rawNode(field(5, repeated(2, field(5, integer(2, 1))))),
      'field 5 at byte 21 repeats a field that may occur once',
    ],
    [
      'an input with two types',
      field(11, Buffer.concat([field(1, 'x'), field(2, ''), field(2, '')])),
      'field 2 at byte 15 repeats a field that may occur once',
    ],
    [
      'a type that is both a tensor and a sequence',
      field(11, field(2, Buffer.concat([field(1, ''), field(4, '')]))),
      'field 4 at byte 14 repeats a field that may occur once',
    ],
    [
      'a name that is not valid UTF-8',
      rawNode(field(3, Buffer.from([0xff]))),
      'the name at byte 15 is not valid UTF-8',
    ],
    [
      'a name that is too long',
      field(2, 'n'.repeat(70_000)),
      'the name at byte 10 is longer than 65536 bytes',
    ],
    [
      'a tensor with too many dims',
      field(5, repeated(65, integer(1, 1))),
      'the tensor at byte 12 has more than 64 dims',
    ],
    [
      'a shape with too many dims',
      field(11, field(2, field(1, field(2, repeated(65, field(1, '')))))),
      'a shape at byte 21 has more than 64 dims',
    ],
    ['a node without an operator', field(1, ''), 'the node at byte 10 has no operator'],
  ])('refuses %s', (_, graph, reason) => {
    expect(refusal(rawModel(graph))).toBe(damage(reason));
  });
});

describe('parseModel, with more than any model has', () => {
  test('refuses too many nodes', () => {
    expect(refusal(rawModel(repeated(MAX_NODES + 1, rawNode())))).toBe(
      'the model must have at most 300000 nodes, including nodes in bodies and functions, got more: split the model',
    );
  });

  test('refuses too many inputs', () => {
    expect(refusal(rawModel(rawNode(repeated(MAX_USES + 1, field(1, '')))))).toBe(
      'the model must have at most 2000000 inputs, outputs and captures of nodes, got more: split the model',
    );
  });

  test('refuses too many attributes', () => {
    expect(refusal(rawModel(rawNode(repeated(MAX_NODE_ATTRIBUTES + 1, field(5, '')))))).toContain(
      'has more than 10000 attributes',
    );
  });

  test('counts captures at every depth and refuses too many', () => {
    const captures = Array.from({ length: 50_000 }, (_, index) => rawNode(field(1, `v${index}`)));
    let body: Uint8Array = Buffer.concat(captures);
    for (let depth = 0; depth < 60; depth++)
      body = field(1, Buffer.concat([field(4, 'If'), field(5, field(6, body))]));
    expect(refusal(rawModel(body))).toContain('inputs, outputs and captures of nodes, got more');
  });

  test('refuses too many fields beside the graph', () => {
    const bytes = Buffer.concat([rawModel(), repeated(100_001, field(14, ''))]);
    expect(refusal(bytes)).toContain('a file with more than 100000 fields beside its graph');
  });
});

describe('parseModel, with local functions', () => {
  /** A graph that calls `F0`, and functions `F0`, `F1` and so on. `calls` returns the functions that each calls. */
  function calling(count: number, calls: (index: number) => readonly number[]): ModelInit {
    const call = (index: number, input: string, output: string) => ({
      ...node(`F${index}`, [input], [output]),
      domain: 'local',
    });
    return {
      graph: { node: [call(0, 'x', 'y')], ...io },
      functions: Array.from({ length: count }, (_, index) => {
        const called = calls(index);
        return {
          name: `F${index}`,
          domain: 'local',
          input: ['a'],
          output: ['b'],
          node: [
            ...called.map((callee, place) => call(callee, place === 0 ? 'a' : `t${place - 1}`, `t${place}`)),
            node('Neg', [called.length === 0 ? 'a' : `t${called.length - 1}`], ['b']),
          ],
        };
      }),
    };
  }

  test('reads thousands of functions', () => {
    const model = parseModel(saveModel(calling(5000, (index) => (index === 4999 ? [] : [4999]))));
    expect(model.functions).toHaveLength(5000);
  });

  test('refuses a function that calls itself', () => {
    expect(refusal(calling(1, () => [0]))).toBe(
      "function 'F0' must not call itself, got a cycle of calls: the file is damaged; export the model again",
    );
  });

  test('refuses functions that call each other in a cycle', () => {
    expect(refusal(calling(1000, (index) => [(index + 1) % 1000]))).toBe(
      "function 'F0' must not call itself, got a cycle of calls: the file is damaged; export the model again",
    );
  });

  test('refuses calls that nest too deep', () => {
    expect(refusal(calling(MAX_FUNCTION_DEPTH + 1, (i) => (i === MAX_FUNCTION_DEPTH ? [] : [i + 1])))).toBe(
      "functions must call each other at most 256 deep, got deeper calls from 'F0': the file is damaged; export the model again",
    );
  });

  test.each([
    [30, String(2 ** 30 - 1)],
    [200, 'more than 2^53'],
  ])('refuses %d functions that each call the next twice', (count, nodes) => {
    expect(refusal(calling(count, (index) => (index === count - 1 ? [] : [index + 1, index + 1])))).toBe(
      `calls of functions must expand to at most 100000 nodes, got ${nodes}: export the model with fewer nested functions`,
    );
  });

  test('refuses two functions of one name', () => {
    const { graph, functions } = calling(1, () => []);
    expect(refusal({ graph, functions: [functions, functions].flat() })).toBe(
      "function 'F0' of domain 'local' must be defined once, got a second definition: the file is damaged; export the model again",
    );
  });
});

describe('parseModel, with external data', () => {
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

  test.each(['../w.bin', '/etc/passwd', 'sub/../../w.bin'])(
    'refuses a location outside the folder: %s',
    (location) => {
      expect(refusal(modelWith(location))).toBe(
        `external data of tensor 'w' must stay inside the model's folder, got '${location}': move the file into that folder and export with a relative location`,
      );
    },
  );

  test('refuses a symbolic link to a file outside the folder', () => {
    const folder = temporaryFolder();
    const outside = path.join(temporaryFolder(), 'w.bin');
    fs.writeFileSync(outside, Buffer.alloc(16));
    fs.symlinkSync(outside, path.join(folder, 'w.bin'));
    expect(message(saveModel(modelWith('w.bin'), 'model.onnx', folder))).toContain(
      "must stay inside the model's folder",
    );
  });

  test('refuses a symbolic link to a folder outside the folder', () => {
    const folder = temporaryFolder();
    const outside = temporaryFolder();
    fs.writeFileSync(path.join(outside, 'w.bin'), Buffer.alloc(16));
    fs.symlinkSync(outside, path.join(folder, 'sub'));
    expect(message(saveModel(modelWith('sub/w.bin'), 'model.onnx', folder))).toContain(
      "must stay inside the model's folder",
    );
  });

  test('reads a file whose name begins with two dots', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, '..w.bin'), Buffer.alloc(16));
    const { files } = parseModel(saveModel(modelWith('..w.bin'), 'model.onnx', folder));
    expect(path.basename(files[1].path)).toBe('..w.bin');
  });

  test.each([
    ['', "must name a file, got ''"],
    ['nul\0.bin', "must name a file, got 'nul\\0.bin'"],
    ['sub', "must lie in a file, got 'sub', which is not a regular file"],
  ])('refuses the location %j, which names no file', (location, expected) => {
    const folder = temporaryFolder();
    fs.mkdirSync(path.join(folder, 'sub'));
    expect(message(saveModel(modelWith(location), 'model.onnx', folder))).toContain(expected);
  });

  test('refuses a tensor without a location', () => {
    const { graph } = modelWith('w.bin');
    const initializer = (graph.initializer ?? []).map((tensor) => ({ ...tensor, externalData: [] }));
    expect(refusal({ graph: { ...graph, initializer } })).toContain("must name a file, got ''");
  });

  test('refuses too many tensors that share the bytes of a file', () => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'w.bin'), '');
    fs.truncateSync(path.join(folder, 'w.bin'), 2 ** 21);
    // Different locations of one file.
    const initializer = Array.from({ length: 65 }, (_, index) => ({
      name: `w${index}`,
      dataType: FLOAT,
      dims: [2 ** 19],
      dataLocation: 1,
      externalData: [{ key: 'location', value: `${'./'.repeat(index % 3)}w.bin` }],
    }));
    const model = (count: number): string =>
      saveModel(
        { graph: { node: [node('Abs', ['x'], ['y'])], initializer: initializer.slice(0, count), ...io } },
        'model.onnx',
        folder,
      );
    expect(parseModel(model(64)).files).toHaveLength(2);
    expect(message(model(65))).toBe(
      "the tensors in './w.bin' must add up to at most 64 times its size, got more with tensor 'w64': the file is damaged or hostile",
    );
  });

  test('refuses a tensor with two locations', () => {
    const { graph } = modelWith('w.bin');
    const initializer = (graph.initializer ?? []).map((tensor) => ({
      ...tensor,
      externalData: ['w.bin', 'v.bin'].map((location) => ({ key: 'location', value: location })),
    }));
    expect(refusal({ graph: { ...graph, initializer } })).toMatch(/has a second location\)/);
  });

  test('refuses a missing file of weights', () => {
    expect(refusal(modelWith('w.bin'))).toBe(
      "external data of tensor 'w' must lie in 'w.bin' beside the model, got no such file or folder: put the file next to the model",
    );
  });

  test('refuses a file of weights that is too short', () => {
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
  ])('refuses the entries %j', (entries, expected) => {
    const folder = temporaryFolder();
    fs.writeFileSync(path.join(folder, 'w.bin'), Buffer.alloc(64));
    expect(message(saveModel(modelWith('w.bin', entries), 'model.onnx', folder))).toContain(expected);
  });
});
