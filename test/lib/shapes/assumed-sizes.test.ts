/** The sizes that plans assume for dimensions, by what names, shapes and the model say. */
import { parseModel } from '../../../lib/onnx/parse';
import { assumedSizes, statedSize } from '../../../lib/shapes/assumed-sizes';
import { type SizedInput, roleOf, statedRole } from '../../../lib/shapes/dimension-roles';
import { sizeHints } from '../../../lib/shapes/planned-types';
import { readFreshFilesAtOnce } from '../../support/inference/fast-analysis';
import { floats, modelOf, node, saveModel } from '../../support/model-builder';

readFreshFilesAtOnce();

type Shape = SizedInput['shape'];

function input(name: string, shape: Shape, dtype = 'float32'): SizedInput {
  return { name, shape, dtype };
}

const ids = (shape: Shape, name = 'input_ids') => input(name, shape, 'int64');

const states = input('h', [2, 'batch', 64]);
const tokens = ids(['batch', 'sequence']);

test.each(
  Object.entries({
    batch: 'batch_size N',
    past: 'past_sequence_length',
    total: 'total_sequence_length',
    sequence: 'max_seq_len_in_batch decoderSequenceLength',
    width: 'image_width',
    height: 'h',
    samples: 'num_samples',
    features: 'n_mels',
    frames: 'timesteps',
    undefined: ' unk__214 p2o.DynamicDimension.0 input_dynamic_axes_1 s0 d1 None x[2] dim_1',
  }),
)('the role %s is what these names state: %s', (role, names) => {
  for (const name of names.split(' ')) expect([name, String(statedRole(name))]).toEqual([name, role]);
});

test.each<[SizedInput, axis: number, role: string, others?: readonly SizedInput[]]>([
  [input('x', [null, null, null, 3], 'uint8'), 3, 'channels'],
  [input('audio', [null, null]), 1, 'samples'],
  [input('x', [null, 80, null]), 2, 'frames'],
  [input('x', [null, 768, null]), 2, 'sequence'],
  [input('past_key_values.0.key', [null, 8, null, 64]), 2, 'past'],
  [input('x', [null, 3, null, null, null]), 2, 'items'],
  [input('x', ['n', 3, 'height', 'width']), 2, 'height'],
  // Names that state nothing leave it to the position.
  [input('x', ['unk__1', 3, 'unk__2', 'unk__3']), 0, 'batch'],
  [input('x', [null, 3, null, null]), 3, 'width'],
  // A matrix of floats is sound, unless another input has the tokens.
  [input('x', ['batch', 'time']), 1, 'samples'],
  [input('x', ['batch', 'sequence']), 1, 'sequence', [tokens]],
  // Also one without names, beside the state of a recurrent network.
  [input('x', [null, null]), 1, 'samples', [states]],
  [input('x', ['batch', 80, 'time']), 2, 'frames'],
  [ids(['batch', 'time']), 1, 'sequence'],
])('of %j, dimension %d is the %s', (sized, axis, role, others = []) => {
  const dimension = sized.shape?.[axis];
  const name = typeof dimension === 'string' ? dimension : `${sized.name}[${axis}]`;
  expect(roleOf(sized, axis, name, [sized, ...others])).toBe(role);
});

function assumed(inputs: readonly SizedInput[], given = {}, hints = {}) {
  return assumedSizes(inputs, given, hints)[0];
}

const decoder = [
  ids(['n', 's']),
  ids(['n', 'total_sequence_length'], 'attention_mask'),
  input('past_key_values.0.key', ['n', 12, 'past', 64]),
];
const summed = [ids(['s', 'past + 1']), input('past', ['past', 'past + s - 1'])];

test.each<[string, readonly SizedInput[], object]>([
  ['batch 1 and sequence 128 for tokens', [ids(['batch', 'sequence'])], { batch: 1, sequence: 128 }],
  ['the same without names', [ids([null, null])], { 'input_ids[0]': 1, 'input_ids[1]': 128 }],
  ['height and width 640', [input('x', ['n', 3, 'h', 'w'])], { n: 1, h: 640, w: 640 }],
  ['width 320 for a line of text', [input('x', [1, 3, 48, 'w'])], { w: 320 }],
  ['the fixed side of a picture for the other', [input('x', [1, 3, 224, null])], { 'x[3]': 224 }],
  ['small maps for latent variables', [input('sample', [1, 4, 'h', 'w'])], { h: 64, w: 64 }],
  ['ten seconds of sound', [input('input_values', ['n', 'sequence'])], { n: 1, sequence: 160_000 }],
  ['a chunk of sound beside a state', [input('x', [1, null]), states], { 'x[1]': 512, batch: 1 }],
  ['past tokens, and their sum', decoder, { n: 1, s: 128, past: 128, total_sequence_length: 256 }],
  ['sums that names state', summed, { s: 128, 'past + 1': 129, past: 128, 'past + s - 1': 255 }],
  ['nothing for fixed sizes or unknown ranks', [input('x', [1, 3, 224]), input('y', null)], {}],
])('the sizes of the table are %s', (_, inputs, sizes) => {
  expect(assumed(inputs)).toEqual(sizes);
});

test('what the model says goes before the table', () => {
  const picture = input('images', ['batch', 3, 'height', 'width']);
  expect(assumed([picture], {}, { picture: [384, 512] })).toEqual({ batch: 1, height: 384, width: 512 });
  expect(assumed([tokens], {}, { maxSequence: 77 })).toMatchObject({ sequence: 77 });
  expect(assumed([tokens], {}, { maxSequence: 512 })).toMatchObject({ sequence: 128 });
});

const inputs = [tokens, ids(['batch', 'total'], 'attention_mask'), input('k', ['batch', 4, 'past', 8])];

test('given sizes win in every set of sizes', () => {
  for (const sizes of assumedSizes(inputs, { sequence: 5 })) expect(sizes.sequence).toBe(5);
});

test('given sizes count in sums', () => {
  expect(assumed(inputs, { sequence: 5, past: 1000 })).toMatchObject({ total: 1005 });
});

test('given sizes of one side of a picture are the size of the other', () => {
  expect(assumed([input('x', [1, 3, 'h', 'w'])], { h: 320 })).toEqual({ h: 320, w: 320 });
});

test('the sets of sizes begin with the table, and are different', () => {
  const sets = assumedSizes([tokens], {});
  expect(sets[0]).toEqual({ batch: 1, sequence: 128 });
  expect(sets.at(-1)).toEqual({ batch: 1000, sequence: 128 });
  expect(sets).toContainEqual({ batch: 1, sequence: 1 });
  expect(new Set(sets.map((sizes) => JSON.stringify(sizes))).size).toBe(sets.length);
});

const hints = (properties: object, table: string) => {
  const metadataProps = Object.entries(properties).map(([key, text]) => ({ key, value: text as string }));
  const nodes = [node('Add', ['x', table], ['y'])];
  const model = modelOf(nodes, { x: [6, 4] }, [floats(table, [6, 4])], { metadataProps });
  return sizeHints(parseModel(saveModel(model)));
};

test.each<[properties: object, found: object, table?: string]>([
  [{ imgsz: '[384, 640]' }, { picture: [384, 640] }],
  [{ imgsz: '416' }, { picture: [416, 416] }],
  [{ input_size: '224x192' }, { picture: [224, 192] }],
  [{ MAX_LENGTH: '77' }, { maxSequence: 77 }],
  [{ imgsz: 'large', max_length: '9'.repeat(300) }, {}],
  // The rows of a table of positions limit sequences.
  [{}, { maxSequence: 6 }, 'bert.position_embeddings.weight'],
  [{ max_length: '5' }, { maxSequence: 5 }, 'bert.position_embeddings.weight'],
])('hints about sizes are read from metadata such as %j', (properties, found, table = 'w') => {
  expect(hints(properties, table)).toEqual(found);
});

const sizes = { past: 128, sequence: 7, 'batch-size': 4 };

test.each([
  ['past + 1', 129],
  ['past + sequence - 1', 134],
  ['past+sequence+5', 140],
  ['past-1', 127],
  ['batch-size + 1', 5],
  ['sequence - past', 1],
  ['past', undefined],
  ['past-sequence', undefined],
  ['past + other', undefined],
  ['constructor + 1', undefined],
  ['past +', undefined],
  ['(past + 1) / 2', undefined],
  [`past + ${'1'.repeat(300)}`, undefined],
])('the size that a name states of %s is the sum of its parts, %p', (name, size) => {
  expect(statedSize(name, sizes)).toBe(size);
});
