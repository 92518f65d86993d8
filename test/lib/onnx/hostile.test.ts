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
  type NodeInit,
  type TensorInit,
  FLOAT,
  attribute,
  callOf,
  encodeModel,
  external,
  floats,
  functionsOf,
  mlp,
  modelOf,
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
function field(number: number, ...content: readonly (Uint8Array | string)[]): Uint8Array {
  const bytes = Buffer.concat(content.map((part) => Buffer.from(part)));
  return new Writer()
    .uint32((number << 3) | 2)
    .bytes(bytes)
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
  return Buffer.concat([integer(1, 9), field(8, integer(2, 17)), field(7, ...graph)]);
}

function rawNode(...fields: readonly Uint8Array[]): Uint8Array {
  return field(1, field(4, 'Abs'), ...fields);
}

/** An `If` with this graph in `depth` bodies around each other. */
function nested(body: Uint8Array, depth: number): Uint8Array {
  let inner = body;
  for (let level = 0; level < depth; level++) inner = field(1, field(4, 'If'), field(5, field(6, inner)));
  return inner;
}

/** The same field many times. */
function repeated(count: number, one: Uint8Array): Uint8Array {
  return Buffer.concat(Array.from({ length: count }, () => one));
}

describe('other files', () => {
  const folder = path.join(temporaryFolder(), 'model');
  fs.mkdirSync(folder);

  test.each([
    [
      'a missing file',
      path.join(folder, 'none.onnx'),
      /none\.onnx' .*got no such file or folder: check the path$/,
    ],
    ['a folder', folder, /got a folder: pass the path of the \.onnx file$/],
    ['an empty file', new Uint8Array(), /got an empty file: copy or download it again$/],
    [
      'a Git LFS pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n'),
      /got a Git LFS pointer to one: run `git lfs pull` in its repository$/,
    ],
    ['text', Buffer.from('this is no model, but a sentence'), /got text: export/],
    ['JSON', Buffer.from('{"ir_version": 8}'), /got text: export/],
    ['a PNG', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]), /got /],
    ['zeros', Buffer.alloc(64), /got /],
    ['a zip', Buffer.from('PK\u0003\u0004 and so on'), /got /],
    [
      'a message without an IR version',
      Buffer.from([0x12, 1, 65]),
      /got a file without an IR version: export/,
    ],
  ])('refuses %s', (_, file, expected) => {
    const found = typeof file === 'string' ? message(file) : refusal(file);
    expect(found).toMatch(/^model 'DIR\/\w+(\.onnx)?' must be (an|a whole) ONNX file, got /);
    expect(found).toMatch(expected);
  });

  test('refuses an IR version of the future', () => {
    expect(refusal({ ...mlp(1), irVersion: 99 })).toContain(
      'must have an IR version from 1 to 13, got 99: export it with a lower `ir_version`',
    );
  });
});

describe('damaged models', () => {
  test('are refused if they are truncated at any byte, with an error that names the model', () => {
    const whole = encodeModel(mlp(1));
    expect(refusal(whole.subarray(0, 500))).toMatch(
      /^model 'DIR\/model.onnx' must be a whole ONNX file, got a truncated file of 500 bytes \(.*\): copy or download it again$/,
    );
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (length) => {
        expect(refusal(whole.subarray(0, length))).toMatch(/^model .* must be /);
      }),
      { numRuns: 60 },
    );
  });

  test('with any changed byte are read or refused with a SlicedInferenceError', () => {
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

  const abs = node('Abs', ['x'], ['y']);
  const add = node('Add', ['x', 'w'], ['y']);
  const constant = node('Constant', [], ['w'], [attribute.tensor('value', floats('', [4]))]);
  const DAMAGED = 'the file is damaged; export the model again';
  const LOADS = 'ONNX Runtime takes one of the two and at most warns; delete the one that is not meant';
  const x = value('x', FLOAT, [4]);
  const y = value('y', FLOAT);

  test.each<[what: string, nodes: NodeInit[], expected: string, initializer?: TensorInit[], graph?: object]>([
    [
      'a tensor whose data does not fit its dims',
      [add],
      `tensor 'w' of type float32 and dims [5] must have 20 bytes, got 16: ${DAMAGED}`,
      [{ ...floats('w', [4]), dims: [5] }],
    ],
    [
      'negative dims',
      [add],
      `tensor 'w' must have dims of 0 or more, got [-4]: ${DAMAGED}`,
      [{ ...floats('w', [4]), dims: [-4] }],
    ],
    [
      'dims of too many elements',
      [add],
      `must have fewer than 2^49 elements, got dims [1099511627776,1099511627776]: ${DAMAGED}`,
      [{ ...floats('w', [4]), dims: [2 ** 40, 2 ** 40] }],
    ],
    [
      'an unknown element type',
      [add],
      "tensor 'w' must have an element type of ONNX, got type 77: the file is damaged or newer than this library",
      [{ ...floats('w', [4]), dataType: 77 }],
    ],
    [
      'an undefined value',
      [add],
      `node 'Add_y' (Add) must use values that the graph defines, got 'w': ${DAMAGED}`,
    ],
    [
      'an undefined output',
      [node('Abs', ['x'], ['z'])],
      `output 'y' of the graph must be the output of a node, an input or an initializer, got a name that nothing defines: ${DAMAGED}`,
      [],
      { output: [y] },
    ],
    [
      'a value with two producers',
      [abs, node('Neg', ['x'], ['y'])],
      `value 'y' of the graph must be defined once, got node 'Abs_y' (Abs) and node 'Neg_y' (Neg): ${DAMAGED}`,
    ],
    [
      'a node that uses its own output',
      [node('Add', ['x', 'y'], ['y'])],
      `node 'Add_y' (Add) must not depend on itself, got a cyclic graph: ${DAMAGED}`,
    ],
    [
      'a cycle of nodes',
      [node('Add', ['x', 'b'], ['a']), node('Abs', ['a'], ['b']), node('Abs', ['b'], ['y'])],
      `node 'Add_a' (Add) must not depend on itself, got a cyclic graph: ${DAMAGED}`,
    ],
    [
      'a duplicate output',
      [abs],
      `output 'y' of the graph must be defined once, got two entries in the list of outputs: ${LOADS}`,
      [],
      { output: [y, y] },
    ],
    [
      'a duplicate input',
      [abs],
      `input 'x' of the graph must be defined once, got two inputs: ${DAMAGED}`,
      [],
      { input: [x, x] },
    ],
    [
      'a duplicate initializer',
      [add],
      `initializer 'w' of the graph must be defined once, got two initializers: ${LOADS}`,
      [floats('w', [4]), floats('w', [4])],
    ],
    [
      'a constant that is an initializer too, which ONNX Runtime loads',
      [constant, add],
      `got an initializer and node 'Constant_w' (Constant): ${LOADS}`,
      [floats('w', [4])],
    ],
    [
      'names with control characters, which the error escapes',
      [{ ...node('Ab\ns', ['no\u202ewhere'], ['y']), name: '' }],
      `Ab\\x0as node 0 must use values that the graph defines, got 'no\\u202ewhere': ${DAMAGED}`,
    ],
  ])('are refused for %s', (_, nodes, expected, initializer = [], graph = {}) => {
    const model = modelOf(nodes, { x: [4] }, initializer);
    expect(refusal({ graph: { ...model.graph, ...graph } })).toContain(expected);
  });
});

describe('malformed or ambiguous protobuf', () => {
  const damage = (reason: string): string =>
    `model 'DIR/model.onnx' must be a whole ONNX file, got bytes of another format (${reason}): export the model as ONNX protobuf`;

  test.each([
    ['2^31 - 1', 2 ** 31 - 1],
    ['2^40', 2 ** 40],
    ['2^62', 2 ** 62],
    ['2^64 - 1', -1],
  ])('is refused for a field with a length of %s', (_, length) => {
    const bomb = Buffer.concat([Buffer.from([0x0a]), new Writer().int64(length).finish()]);
    expect(refusal(rawModel(bomb))).toContain('(the field at byte 8 ends after its message)');
  });

  test.each<[what: string, graph: Uint8Array, reason: string]>([
    [
      // A node of 2 bytes starts a name of 9 bytes. The file is long enough for the name, but the node is not.
      'a field that is longer than its message',
      Buffer.concat([field(1, Buffer.from([0x1a, 9])), field(2, 'long enough')]),
      'the field at byte 10 ends after its message',
    ],
    [
      'a varint of 11 bytes',
      Buffer.concat([Buffer.from([0x08]), Buffer.alloc(10, 0xff), Buffer.from([1])]),
      'the varint at byte 9 is longer than 10 bytes',
    ],
    ['a group', Buffer.from([0x0b, 0x0c]), 'byte 8 starts a field of unknown wire type 3'],
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
      field(5, field(8, 'w'), field(2, 'float')),
      'field 2 at byte 13 must hold an integer, not wire type 2',
    ],
    [
      'dims of 4 bytes each',
      field(5, Buffer.from([0x0d, 1, 0, 0, 0])),
      'field 1 at byte 10 must hold integers, not wire type 5',
    ],
    [
      'an attribute with two graphs in a field that may occur once',
      rawNode(field(5, field(6), field(6))),
      'field 6 at byte 19 repeats a field that may occur once',
    ],
    [
      'an attribute with two tensors in a field that may occur once',
      rawNode(field(5, repeated(2, field(5, integer(2, 1))))),
      'field 5 at byte 21 repeats a field that may occur once',
    ],
    [
      'an input with two types',
      field(11, field(1, 'x'), field(2), field(2)),
      'field 2 at byte 15 repeats a field that may occur once',
    ],
    [
      'a type that is both a tensor and a sequence',
      field(11, field(2, field(1), field(4))),
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
      field(11, field(2, field(1, field(2, repeated(65, field(1)))))),
      'a shape at byte 21 has more than 64 dims',
    ],
    ['a node without an operator', field(1), 'the node at byte 10 has no operator'],
  ])('is refused for %s', (_, graph, reason) => {
    expect(refusal(rawModel(graph))).toBe(damage(reason));
  });
});

test.each<[what: string, graph: () => Uint8Array, expected: string]>([
  [
    'nodes',
    () => repeated(MAX_NODES + 1, rawNode()),
    'the model must have at most 300000 nodes, including nodes in bodies and functions, got more: split the model',
  ],
  [
    'inputs',
    () => rawNode(repeated(MAX_USES + 1, field(1))),
    'the model must have at most 2000000 inputs, outputs and captures of nodes, got more: split the model',
  ],
  [
    'attributes',
    () => rawNode(repeated(MAX_NODE_ATTRIBUTES + 1, field(5))),
    'has more than 10000 attributes',
  ],
  [
    'captures, which count at every depth',
    () => nested(Buffer.concat(Array.from({ length: 50_000 }, (_, i) => rawNode(field(1, `v${i}`)))), 60),
    'inputs, outputs and captures of nodes, got more',
  ],
  [
    'bodies around each other',
    () => nested(new Uint8Array(), 2000),
    'graphs inside attributes must nest at most 64 deep, got deeper nesting: the file is damaged or hostile',
  ],
])('a model is refused for too many %s', (_, graph, expected) => {
  expect(refusal(rawModel(graph()))).toContain(expected);
});

test('a model is refused for too many fields beside the graph', () => {
  const bytes = Buffer.concat([rawModel(), repeated(100_001, field(14))]);
  expect(refusal(bytes)).toContain('a file with more than 100000 fields beside its graph');
});

describe('local functions', () => {
  /** A graph that calls `F0`, and functions `F0`, `F1` and so on. `calls` returns the functions that each calls. */
  function calling(count: number, calls: (index: number) => readonly number[]): ModelInit {
    const functions = Array.from({ length: count }, (_, index) => {
      const called = calls(index).map((callee, at) => callOf(`F${callee}`, [`t${at}`], [`t${at + 1}`]));
      return [
        `F${index}`,
        [node('Abs', ['a'], ['t0']), ...called, node('Neg', [`t${called.length}`], ['b'])],
      ] as const;
    });
    return {
      ...modelOf([callOf('F0', ['x'], ['y'])], { x: [4] }),
      ...functionsOf(Object.fromEntries(functions)),
    };
  }

  test('are read if there are thousands', () => {
    const model = parseModel(saveModel(calling(5000, (index) => (index === 4999 ? [] : [4999]))));
    expect(model.functions).toHaveLength(5000);
  });

  const { functions: one, ...own } = calling(1, () => []);
  test.each<[what: string, model: ModelInit, expected: string]>([
    ['a call of itself', calling(1, () => [0]), "function 'F0' must not call itself, got a cycle of calls: "],
    ['calls in a cycle', calling(200, (i) => [(i + 1) % 200]), "function 'F0' must not call itself"],
    [
      'calls that nest too deep',
      calling(MAX_FUNCTION_DEPTH + 1, (i) => (i === MAX_FUNCTION_DEPTH ? [] : [i + 1])),
      "functions must call each other at most 256 deep, got deeper calls from 'F0': ",
    ],
    ...(
      [
        [30, String(2 ** 31 - 2)],
        [200, 'more than 2^53'],
      ] as const
    ).map(([count, nodes]): [string, ModelInit, string] => [
      `calls of the next of ${count} functions twice`,
      calling(count, (index) => (index === count - 1 ? [] : [index + 1, index + 1])),
      `calls of functions must expand to at most 100000 nodes, got ${nodes}: `,
    ]),
    [
      'two definitions',
      { ...own, functions: [one, one].flat() },
      "function 'F0' of domain 'local' must be defined once, got a second definition: ",
    ],
  ])('are refused for %s', (_, model, expected) => {
    expect(refusal(model)).toContain(expected);
  });
});

describe('external data', () => {
  const modelWith = (...initializer: TensorInit[]): ModelInit =>
    modelOf([node('Add', ['x', 'w'], ['y'])], { x: [4] }, initializer);
  const at = (location: string, entries: Record<string, string> = {}): ModelInit =>
    modelWith(external('w', [4], { location, ...entries }));

  /** A folder with `w.bin` of 64 bytes, the folder `sub`, and links `link.bin` and `link` to a file and a folder outside. */
  function folderOfWeights(): string {
    const [folder, outside] = [temporaryFolder(), temporaryFolder()];
    for (const file of [
      path.join(folder, 'w.bin'),
      path.join(folder, '..w.bin'),
      path.join(outside, 'w.bin'),
    ])
      fs.writeFileSync(file, Buffer.alloc(64));
    fs.mkdirSync(path.join(folder, 'sub'));
    fs.symlinkSync(path.join(outside, 'w.bin'), path.join(folder, 'link.bin'));
    fs.symlinkSync(outside, path.join(folder, 'link'));
    return folder;
  }

  const STAY = "must stay inside the model's folder, got ";
  test.each<[location: string, expected: string, entries?: Record<string, string>]>([
    ['../w.bin', `${STAY}'../w.bin': move the file into that folder and export with a relative location`],
    ['/etc/passwd', `${STAY}'/etc/passwd': move`],
    ['/etc/none', `${STAY}'/etc/none': move`],
    ['sub/../../w.bin', `${STAY}'sub/../../w.bin': move`],
    ['link.bin', `${STAY}'link.bin', a link that leads out of it`],
    ['link/w.bin', `${STAY}'link/w.bin', a link that leads out of it`],
    ['', "must name a file, got ''"],
    ['nul\0.bin', "must name a file, got 'nul\\0.bin'"],
    ['sub', "must lie in a file, got 'sub', which is not a regular file"],
    [
      'none.bin',
      "must lie in 'none.bin' beside the model, got no such file or folder: put the file next to the model",
    ],
    [
      'w.bin',
      "needs bytes 56 to 72 of 'w.bin', got a file of 64 bytes: the file is cut short or belongs to another model",
      { offset: '56' },
    ],
    ['w.bin', 'must have the 16 bytes of its type and dims, got a length of 12', { length: '12' }],
    ['w.bin', "must have a whole number of bytes as offset, got '-1'", { offset: '-1' }],
    [
      'w.bin',
      "must have a whole number of bytes as offset, got '99999999999999999999'",
      { offset: '99999999999999999999' },
    ],
  ])('is refused at %j: %s', (location, expected, entries = {}) => {
    const found = message(saveModel(at(location, entries), 'model.onnx', folderOfWeights()));
    expect(found).toContain(`external data of tensor 'w' ${expected}`);
  });

  test('is refused without a location, and with two', () => {
    expect(refusal(modelWith(external('w', [4], {})))).toContain("must name a file, got ''");
    const locations = ['w.bin', 'v.bin'].map((location) => ({ key: 'location', value: location }));
    const two = { ...external('w', [4]), externalData: locations };
    expect(refusal(modelWith(two))).toContain('has a second location)');
  });

  test('is read from a file whose name begins with two dots', () => {
    const { files } = parseModel(saveModel(at('..w.bin'), 'model.onnx', folderOfWeights()));
    expect(path.basename(files[1].path)).toBe('..w.bin');
  });

  test('is refused if too many tensors share the bytes of a file', () => {
    const folder = folderOfWeights();
    fs.truncateSync(path.join(folder, 'w.bin'), 2 ** 21);
    // Different locations of one file.
    const tensors = Array.from({ length: 65 }, (_, index) =>
      external(`w${index}`, [2 ** 19], { location: `${'./'.repeat(index % 3)}w.bin` }),
    );
    const model = (count: number): string =>
      saveModel(
        modelOf([node('Abs', ['x'], ['y'])], { x: [4] }, tensors.slice(0, count)),
        'model.onnx',
        folder,
      );
    expect(parseModel(model(64)).files).toHaveLength(2);
    expect(message(model(65))).toContain(
      "the tensors in './w.bin' must add up to at most 64 times its size, got more with tensor 'w64'",
    );
  });
});
