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
  choice,
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
  const writer = new Writer().uint32((number << 3) | 2);
  return writer.bytes(bytes).finish();
}

function integer(number: number, value: number): Uint8Array {
  const writer = new Writer().uint32(number << 3);
  return writer.int64(value).finish();
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

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** The beginning of an archive whose first entry has this name. */
const zip = (name: string): Buffer => latin1(`PK\x03\x04${'\0'.repeat(26)}${name}`);

describe('other files', () => {
  const folder = path.join(temporaryFolder(), 'model');
  fs.mkdirSync(folder);

  const LFS = Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n');
  test.each([
    ['a missing file', path.join(folder, 'none.onnx'), /got no such file or folder: check the path$/],
    ['a folder', folder, /got a folder: pass the path of the \.onnx file$/],
    ['an empty file', new Uint8Array(), /got an empty file: copy or download it again$/],
    [
      'a name on the hub',
      'org/model',
      /got no such file .*: check the path, or download .*`hf download DIR\/model onnx/,
    ],
    ['a Git LFS pointer', LFS, /got a Git LFS pointer to one: run `git lfs pull` in its repository, or/],
    ['text', Buffer.from('this is no model, but a sentence'), /got text: export/],
    ['an HTML page', Buffer.from('\n<!DOCTYPE html>'), /got an HTML page: download/],
    ['a JPEG', latin1('\xff\xd8\xff\xe0\0\x10JFIF'), /got a JPEG picture: pass the path/],
    ['a PNG', latin1('\x89PNG\r\n\x1a\n\0\0\0\rIHDR'), /got a PNG picture: pass the path/],
    ['gzip', latin1('\x1f\x8b\x08\0'), /got a gzip archive: unpack it/],
    ['torch.save', zip('archive/data.pkl'), /got a PyTorch file: load it and export it with torch\.onnx/],
    ['torch.jit.save', zip('net/code/__torch__.py'), /got a PyTorch file: /],
    ['Keras', zip('metadata.json'), /got a Keras file: .*model\.export/],
    ['torch.export', zip('net/archive_format'), /got a PyTorch file: /],
    ['NumPy', zip('x.npy\x01\0'), /got a NumPy archive: pass the path/],
    ['tar', latin1(`a\n.ckpt${'\0'.repeat(250)}ustar`), /got a tar archive: unpack it/],
    ['an .ort file', latin1('\x1c\0\0\0ORTM\x14\0'), /got an ONNX Runtime model \(\.ort\): pass the \.onnx/],
    ['a ZIP', zip('photos/1.jpg'), /got a ZIP archive: unpack it/],
    ['old PyTorch', latin1('\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M'), /got a PyTorch file: /],
    ['a pickle', latin1('\x80\x04\x95\x10\0\0\0'), /got a Python pickle, /],
    ['safetensors', latin1('\x40\0\0\0\0\0\0\0{"weight":{}}'), /got a safetensors file, .*: export the/],
    ['GGUF', latin1('GGUF\x03\0\0\0'), /got a GGUF file: export the original model/],
    ['HDF5', latin1('\x89HDF\r\n\x1a\n'), /got an HDF5 file, perhaps of Keras: /],
    ['TFLite', latin1('\x1c\0\0\0TFL3\x14\0'), /got a TensorFlow Lite model: .*--tflite FILE/],
    ['a graph', latin1('\n\x20\n\x01x\x12\x05Const*\x0b\n\x05dtype'), /got a TensorFlow graph: convert/],
    ['a SavedModel', saveModel(latin1('\x08\x01'), 'saved_model.pb'), /got a TensorFlow SavedModel: /],
    ['zeros', Buffer.alloc(64), /got /],
    ['a message alone', Buffer.from([0x12, 1, 65]), /got a file without an IR version: export/],
  ])('refuses %s', (_, file, expected) => {
    const found = typeof file === 'string' ? message(file) : refusal(file);
    expect(found).toMatch(/^model 'DIR\/\w+(\.\w+)?' must be (an|a whole) ONNX file, got /);
    expect(found).toMatch(expected);
  });

  test('refuses an IR version of the future', () => {
    expect(refusal({ ...mlp(1), irVersion: 99 })).toContain(
      'must have an IR version from 1 to 13, got 99: export it with a lower `ir_version`',
    );
  });
});

test('damaged models are refused if they are truncated at any byte, with an error that names the model', () => {
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

test('damaged models with any changed byte are read or refused with a SlicedInferenceError', () => {
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
const w = (more: object = {}): TensorInit => ({ ...floats('w', [4]), ...more });
const x = value('x', FLOAT, [4]);
const y = value('y', FLOAT);
const unclear = { ...node('Ab\ns', ['no\u202ewhere'], ['y']), name: '' };

test.each<[expected: string, nodes: NodeInit[], initializer?: TensorInit[], graph?: object]>([
  ["tensor 'w' of type float32 and dims [5] must have 20 bytes, got 16: ", [add], [w({ dims: [5] })]],
  ["tensor 'w' must have dims of 0 or more, got [-4]: the file is damaged", [add], [w({ dims: [-4] })]],
  ['2^49 elements, got dims [1099511627776,1099511627776]', [add], [w({ dims: [2 ** 40, 2 ** 40] })]],
  ["tensor 'w' must have an element type of ONNX, got type 77: ", [add], [w({ dataType: 77 })]],
  ["node 'Add_y' (Add) must use values that the graph defines, got 'w': the file is damaged", [add]],
  ["output 'y' of the graph must be the output of a node, an input or an init", [], [], { output: [y] }],
  ["value 'y' of the graph must be defined once, got node 'Abs_y' (Abs) and node 'Abs_y'", [abs, abs]],
  ["node 'Add_y' (Add) must not depend on itself, got a cyclic graph: ", [node('Add', ['x', 'y'], ['y'])]],
  ["output 'y' of the graph must be defined once, got two entries", [abs], [], { output: [y, y] }],
  ["input 'x' of the graph must be defined once, got two inputs: delete", [abs], [], { input: [x, x] }],
  ["initializer 'w' of the graph must be defined once, got two initializers", [add], [w(), w()]],
  ["got an initializer and node 'Constant_w' (Constant): delete the one", [constant, add], [w()]],
  // The error escapes control characters.
  ["Ab\\x0as node 0 must use values that the graph defines, got 'no\\u202ewhere': ", [unclear]],
])('damaged models are refused with: %s', (expected, nodes, initializer = [], graph = {}) => {
  const model = modelOf(nodes.length === 0 ? [abs] : nodes, { x: [4] }, initializer);
  const own = nodes.length === 0 ? { node: [node('Abs', ['x'], ['z'])] } : {};
  expect(refusal({ graph: { ...model.graph, ...own, ...graph } })).toContain(expected);
});

test.each([2 ** 40, -1])(
  'malformed or ambiguous protobuf is refused for a field with a length of %d, whose sign is a bit',
  (length) => {
    const bomb = Buffer.concat([Buffer.from([0x0a]), new Writer().int64(length).finish()]);
    expect(refusal(rawModel(bomb))).toContain('(the field at byte 8 ends after its message)');
  },
);

const ONCE = 'repeats a field that may occur once';
test.each<[reason: string, ...graph: Uint8Array[]]>([
  // A node of 2 bytes starts a name of 9 bytes. The file is long enough for the name, but the node is not.
  ['the field at byte 10 ends after its message', field(1, Buffer.of(0x1a, 9)), field(2, 'long enough')],
  ['the varint at byte 9 is longer than 10 bytes', Buffer.of(8), Buffer.alloc(10, 0xff), Buffer.of(1)],
  ['byte 8 starts a field of unknown wire type 3', Buffer.from([0x0b, 0x0c])],
  ['field 1 at byte 8 must hold a message, text or bytes, not wire type 0', integer(1, 5)],
  ['field 3 at byte 15 must hold a message, text or bytes, not wire type 0', rawNode(integer(3, 5))],
  ['field 2 at byte 13 must hold an integer, not wire type 2', field(5, field(8, 'w'), field(2, 'float'))],
  ['field 1 at byte 10 must hold integers, not wire type 5', field(5, Buffer.from([0x0d, 1, 0, 0, 0]))],
  [`field 6 at byte 19 ${ONCE}`, rawNode(field(5, field(6), field(6)))],
  [`field 2 at byte 15 ${ONCE}`, field(11, field(1, 'x'), field(2), field(2))],
  [`field 4 at byte 14 ${ONCE}`, field(11, field(2, field(1), field(4)))],
  ['the name at byte 15 is not valid UTF-8', rawNode(field(3, Buffer.from([0xff])))],
  ['the name at byte 10 is longer than 65536 bytes', field(2, 'n'.repeat(70_000))],
  ['the tensor at byte 12 has more than 64 dims', field(5, repeated(65, integer(1, 1)))],
  ['more than 64 dims', field(11, field(2, field(1, field(2, repeated(65, field(1))))))],
  ['the node at byte 10 has no operator', field(1)],
])('malformed or ambiguous protobuf is refused because %s', (reason, ...graph) => {
  expect(refusal(rawModel(...graph))).toMatch(
    /^model 'DIR\/model.onnx' must be a whole ONNX file, got bytes of another format \(/,
  );
  expect(refusal(rawModel(...graph))).toContain(`${reason}): export the model as ONNX protobuf`);
});

const USES = 'the model must have at most 2000000 inputs, outputs and captures of nodes, got more';
const captures = Array.from({ length: 50_000 }, (_, i) => rawNode(field(1, `v${i}`)));
test.each<[expected: string, graph: () => Uint8Array]>([
  ['at most 300000 nodes, including nodes in bodies and functions', () => repeated(MAX_NODES + 1, rawNode())],
  [USES, () => rawNode(repeated(MAX_USES + 1, field(1)))],
  ['has more than 10000 attributes', () => rawNode(repeated(MAX_NODE_ATTRIBUTES + 1, field(5)))],
  // Captures count at every depth.
  [USES, () => nested(Buffer.concat(captures), 60)],
  ['graphs inside attributes must nest at most 64 deep, got deeper', () => nested(new Uint8Array(), 2000)],
])('a model that is too large is refused with: %s', (expected, graph) => {
  expect(refusal(rawModel(graph()))).toContain(expected);
});

test.each([
  ['an initializer', field(15)],
  ['an attribute', rawNode(field(5, field(22)))],
  ['a body', nested(field(15), 2)],
])('a model is refused for a sparse tensor in %s', (_, graph) => {
  expect(refusal(rawModel(graph))).toBe(
    'the model must have dense tensors only, got a sparse tensor: store it as a dense tensor',
  );
});

test('a model is refused for too many fields beside the graph', () => {
  const bytes = Buffer.concat([rawModel(), repeated(100_001, field(14))]);
  expect(refusal(bytes)).toContain('a file with more than 100000 fields beside its graph');
});

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

/** Each function calls the next one twice. */
const doubling = (count: number): ModelInit => calling(count, (i) => (i === count - 1 ? [] : [i + 1, i + 1]));
const { functions: one, ...own } = calling(1, () => []);
const deep = calling(MAX_FUNCTION_DEPTH + 1, (i) => (i === MAX_FUNCTION_DEPTH ? [] : [i + 1]));
test.each<[expected: string, model: ModelInit]>([
  ["function 'F0' must not call itself, got a cycle of calls: ", calling(1, () => [0])],
  ["function 'F0' must not call itself", calling(200, (i) => [(i + 1) % 200])],
  ["functions must call each other at most 256 deep, got deeper calls from 'F0': ", deep],
  [`calls of functions must expand to at most 100000 nodes, got ${2 ** 31 - 2}: `, doubling(30)],
  ['at most 100000 nodes, got more than 2^53: ', doubling(200)],
  ["function 'F0' of domain 'local' must be defined once", { ...own, functions: [one, one].flat() }],
])('local functions are refused with: %s', (expected, model) => {
  expect(refusal(model)).toContain(expected);
});

const modelWith = (...initializer: TensorInit[]): ModelInit =>
  modelOf([node('Add', ['x', 'w'], ['y'])], { x: [4] }, initializer);
const branch = (initializer: TensorInit) => ({
  ...{ node: [node('Abs', ['w'], ['v'])], initializer: [initializer], output: [value('v', FLOAT)] },
});
const constantOf = (tensor: TensorInit) => node('Constant', [], ['b'], [attribute.tensor('value', tensor)]);
/** Models with the tensor as an initializer, in a body inside a body, and in a function. */
const holding = (tensor: TensorInit): ModelInit[] => [
  modelWith(tensor),
  modelOf([choice('c', 'y', [choice('c', 'u', branch(tensor))])], { c: [] }),
  modelOf([callOf('F', ['x'], ['y'])], { x: [4] }, [], functionsOf({ F: [constantOf(tensor)] })),
];

/** A folder with `w.bin` of 64 bytes, the folder `sub`, and links `link.bin` and `link` to a file and a folder outside. */
function folderOfWeights(): string {
  const [folder, outside] = [temporaryFolder(), temporaryFolder()];
  for (const each of [folder, outside]) fs.writeFileSync(path.join(each, 'w.bin'), Buffer.alloc(64));
  fs.mkdirSync(path.join(folder, 'sub'));
  fs.symlinkSync(path.join(outside, 'w.bin'), path.join(folder, 'link.bin'));
  fs.symlinkSync(outside, path.join(folder, 'link'));
  return folder;
}

const STAY = "must stay inside the model's folder, got ";
test.each<[location: string, expected: string, entries?: Record<string, string>]>([
  ['../w.bin', `${STAY}'../w.bin': move the file into that folder and export with a relative location`],
  ['/etc/passwd', `${STAY}'/etc/passwd': move`],
  ['sub/../../w.bin', `${STAY}'sub/../../w.bin': move`],
  ['link.bin', `${STAY}'link.bin', a link that leads out of it`],
  ['link/w.bin', `${STAY}'link/w.bin', a link that leads out of it`],
  ['', "must name a file, got ''"],
  ['nul\0.bin', "must name a file, got 'nul\\0.bin'"],
  ['sub', "must lie in a file, got 'sub', which is not a regular file"],
  ['none.bin', "must lie in 'none.bin' beside the model, got no such file or folder: put the file next"],
  ['w.bin', "must lie in bytes 56 to 72 of 'w.bin', got a file of 64 bytes", { offset: '56' }],
  ['w.bin', 'must have the 16 bytes of its type and dims, got a length of 12', { length: '12' }],
  ['w.bin', "must have a whole number of bytes as offset, got '9999", { offset: '9'.repeat(20) }],
])('external data is refused at %j: %s', (location, expected, entries = {}) => {
  const folder = folderOfWeights();
  for (const model of holding(external('w', [4], { location, ...entries })))
    expect(message(saveModel(model, 'model.onnx', folder))).toContain(
      `external data of tensor 'w' ${expected}`,
    );
});

/** In the hub's cache, `blobs` has the contents, and `snapshots` has links to them. */
test.each([
  ['models--a--b', 'blobs', 'e'.repeat(64), 'read'],
  ['models--a--b', 'blobs', 'f'.repeat(40), 'read'],
  ['models--a--b', 'blobs', 'secret.txt', 'refused'],
  ['models--a--b', 'blobs/more', 'e'.repeat(64), 'refused'],
  ['models--a--b', 'refs', 'e'.repeat(64), 'refused'],
  ['models--a--c', 'blobs', 'e'.repeat(64), 'refused'],
  ['elsewhere', 'blobs', 'e'.repeat(64), 'refused'],
])('a link from a snapshot of models--a--b into %s/%s/%s is %s', (cached, place, name, expected) => {
  const root = temporaryFolder();
  const [folder, target] = [`models--a--b/snapshots/${'0'.repeat(40)}/onnx`, path.join(cached, place)];
  for (const each of [folder, target, 'models--a--b/blobs'])
    fs.mkdirSync(path.join(root, each), { recursive: true });
  fs.writeFileSync(path.join(root, target, name), Buffer.alloc(16));
  fs.symlinkSync(path.join(root, target, name), path.join(root, folder, 'w.bin'));
  const file = saveModel(modelWith(external('w', [4])), 'model.onnx', path.join(root, folder));
  if (expected === 'read') expect(parseModel(file).files).toHaveLength(2);
  else expect(message(file)).toContain(`${STAY}'w.bin', a link that leads out of it`);
  // A blob that is a link itself leads where its link leads.
  fs.renameSync(path.join(root, target, name), path.join(root, 'w.bin'));
  fs.symlinkSync(path.join(root, 'w.bin'), path.join(root, target, name));
  expect(message(file)).toContain(STAY);
});

test('external data is refused without a location, and with two', () => {
  expect(refusal(modelWith(external('w', [4], {})))).toContain("must name a file, got ''");
  const locations = ['w.bin', 'v.bin'].map((location) => ({ key: 'location', value: location }));
  const two = { ...external('w', [4]), externalData: locations };
  expect(refusal(modelWith(two))).toContain('has a second location)');
});

test('external data is refused if too many tensors share the bytes of a file', () => {
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
    "'w64' must add up with others in './w.bin' to at most 64 times its size, got more",
  );
});
