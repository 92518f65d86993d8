/** The sizes that plans assume for dimensions, by what names, shapes and the model say. */
import { parseModel } from '../../../lib/onnx/parse';
import { assumedSizes } from '../../../lib/shapes/assumed-sizes';
import { type SizedInput, roleOf, statedRole, layoutOf } from '../../../lib/shapes/dimension-roles';
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
const past = input('past.key', ['batch', 8, 'past_sequence_length', 64]);
const mask = ids(['batch', 'all_length'], 'attention_mask');

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

test.each<[string, Shape, layout: string, name?: string]>([
  ['float32', [null, 3, null, null], 'batch channels height width'],
  ['uint8', [null, null, null, 3], 'batch height width channels'],
  ['uint8', [null, null, 3], 'height width channels'],
  ['float32', [3, null, null], 'channels height width'],
  ['int64', [null, null], 'batch sequence'],
  ['int64', [null, null, null], 'batch sequence sequence'],
  ['float32', [null, null], 'batch features'],
  ['bfloat16', [1, null], 'batch features'],
  ['float32', [null, null], 'batch samples', 'audio'],
  ['float32', [null, 1, null], 'batch channels samples'],
  ['float32', [null, 80, null], 'batch features frames'],
  ['float32', [null, 768, null], 'batch features sequence'],
  ['float32', [2, null, 64], 'items batch features'],
  ['float32', [null, null, 64], 'batch sequence features'],
  ['float32', [null, 8, null, 64], 'batch items past features', 'past_key_values.0.key'],
  ['float32', [null, null, 3, null, null], 'batch clip channels height width'],
  ['float32', [null, 3, null, null, null, null], 'batch channels clip height height width'],
  ['float32', [null], 'batch'],
  ['float32', [], ''],
  ['float32', null, ''],
])('the layout of an input of %s%j is %s', (dtype, shape, layout, name = 'x') => {
  expect(layoutOf({ name, dtype, shape }).join(' ')).toBe(layout);
});

test.each<[SizedInput, axis: number, role: string, others?: readonly SizedInput[]]>([
  [tokens, 0, 'batch'],
  [tokens, 1, 'sequence'],
  [input('x', ['n', 3, 'height', 'width']), 2, 'height'],
  // Names that state nothing leave it to the position.
  [input('x', ['unk__1', 3, 'unk__2', 'unk__3']), 0, 'batch'],
  [input('x', [null, 3, null, null]), 3, 'width'],
  [ids([null, null]), 1, 'sequence'],
  // The mask of a decoder with past tokens.
  [mask, 1, 'total', [tokens, past]],
  [mask, 1, 'sequence', [tokens]],
  [ids(['batch', 'sequence'], 'attention_mask'), 1, 'sequence', [tokens, past]],
  // A matrix of floats is sound, unless another input has the tokens.
  [input('x', ['batch', 'sequence']), 1, 'samples'],
  [input('x', ['batch', 'time']), 1, 'samples'],
  [input('x', ['batch', 'sequence']), 1, 'sequence', [tokens]],
  // Also one without names, beside the state of a recurrent network.
  [input('x', [null, null]), 1, 'samples', [states]],
  [input('x', [null, null]), 1, 'features'],
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

describe('the sizes of the table', () => {
  test.each<[string, readonly SizedInput[], object]>([
    ['batch 1 and sequence 128 for tokens', [ids(['batch', 'sequence'])], { batch: 1, sequence: 128 }],
    ['the same for other names', [ids(['N', 'SeqLen'])], { N: 1, SeqLen: 128 }],
    ['the same without names', [ids([null, null])], { 'input_ids[0]': 1, 'input_ids[1]': 128 }],
    [
      'height and width 640 for a picture',
      [input('images', ['batch', 3, 'height', 'width'])],
      { batch: 1, height: 640, width: 640 },
    ],
    [
      'the same for a picture with channels last',
      [input('images', [null, null, null, 3], 'uint8')],
      { 'images[0]': 1, 'images[1]': 640, 'images[2]': 640 },
    ],
    ['width 320 for a line of text', [input('x', [1, 3, 48, 'w'])], { w: 320 }],
    ['the fixed side of a picture for the other', [input('x', [1, 3, 224, null])], { 'x[3]': 224 }],
    [
      'small maps for latent variables',
      [input('sample', ['batch', 4, 'height', 'width'])],
      { batch: 1, height: 64, width: 64 },
    ],
    ['three channels', [input('x', ['n', 'c', 'h', 'w'])], { n: 1, c: 3, h: 640, w: 640 }],
    ['ten seconds of sound', [input('audio', [1, 'samples'])], { samples: 160_000 }],
    [
      'ten seconds for a sequence of floats too',
      [input('input_values', ['batch', 'sequence'])],
      { batch: 1, sequence: 160_000 },
    ],
    [
      'a chunk of sound beside a recurrent state',
      [input('input', [null, null]), input('state', [2, null, 128])],
      { 'input[0]': 1, 'input[1]': 512, 'state[1]': 1 },
    ],
    ['1,000 frames of a spectrogram', [input('mel', ['batch', 80, null])], { batch: 1, 'mel[2]': 1000 }],
    ['a sequence for embeddings', [input('hidden', ['batch', null, 768])], { batch: 1, 'hidden[1]': 128 }],
    [
      'a short video',
      [input('video', [null, 3, 'frames', null, null])],
      { 'video[0]': 1, frames: 16, 'video[3]': 224, 'video[4]': 224 },
    ],
    [
      'past tokens, and a mask of past and new ones',
      [
        ids(['batch', 'sequence_length']),
        ids(['batch', 'total_sequence_length'], 'attention_mask'),
        input('past_key_values.0.key', ['batch', 12, 'past_sequence_length', 64]),
      ],
      { batch: 1, sequence_length: 128, total_sequence_length: 256, past_sequence_length: 128 },
    ],
    [
      'sums that names state',
      [
        ids(['batch', 'sequence_length']),
        ids(['batch', 'past_sequence_length + 1'], 'attention_mask'),
        input('past_key_values.0.key', ['batch', 12, 'past_sequence_length', 64]),
        input('half', ['sequence_length / 2']),
        input('last', ['past_sequence_length + sequence_length - 1']),
      ],
      {
        batch: 1,
        sequence_length: 128,
        'past_sequence_length + 1': 129,
        past_sequence_length: 128,
        'sequence_length / 2': 64,
        'past_sequence_length + sequence_length - 1': 255,
      },
    ],
  ])('are %s', (_, inputs, sizes) => {
    expect(assumed(inputs)).toEqual(sizes);
  });

  test('are nothing for a model of fixed sizes, and for an input of unknown rank', () => {
    expect(assumed([input('x', [1, 3, 224, 224])])).toEqual({});
    expect(assumed([input('x', null)])).toEqual({});
  });
});

describe('what the model says', () => {
  test('goes before the table', () => {
    const picture = input('images', ['batch', 3, 'height', 'width']);
    expect(assumed([picture], {}, { picture: [384, 512], batch: 4 })).toEqual({
      batch: 4,
      height: 384,
      width: 512,
    });
    expect(assumed([ids(['batch', 'sequence'])], {}, { maxSequence: 77 })).toMatchObject({ sequence: 77 });
    expect(assumed([ids(['batch', 'sequence'])], {}, { maxSequence: 512 })).toMatchObject({ sequence: 128 });
    expect(assumed([input('wav', [1, 'samples'])], {}, { sampleRate: 8000 })).toEqual({ samples: 80_000 });
  });

  test('includes the fixed sizes of other inputs', () => {
    expect(assumed([ids([1, 7]), ids([1, 'n'], 'mask')])).toEqual({ n: 1 });
    expect(assumed([ids([1, 7]), ids([1, 'sequence'], 'types')])).toEqual({ sequence: 7 });
    expect(assumed([input('a', [1, 3, 256, 192]), input('b', [1, 3, null, null])])).toEqual({
      'b[2]': 256,
      'b[3]': 192,
    });
  });
});

describe('given sizes', () => {
  const inputs = [tokens, ids(['batch', 'total'], 'attention_mask'), input('k', ['batch', 4, 'past', 8])];

  test('win in every set of sizes', () => {
    for (const sizes of assumedSizes(inputs, { sequence: 5 })) expect(sizes.sequence).toBe(5);
  });

  test('count in sums', () => {
    expect(assumed(inputs, { sequence: 5, past: 1000 })).toMatchObject({ total: 1005 });
  });

  test('of one side of a picture are the size of the other', () => {
    expect(assumed([input('x', [1, 3, 'h', 'w'])], { h: 320 })).toEqual({ h: 320, w: 320 });
  });
});

describe('the sets of sizes', () => {
  test('begin with the table, and are different', () => {
    const sets = assumedSizes([ids(['batch', 'sequence'])], {});
    expect(sets[0]).toEqual({ batch: 1, sequence: 128 });
    expect(sets.at(-1)).toEqual({ batch: 1000, sequence: 128 });
    expect(sets).toContainEqual({ batch: 1, sequence: 1 });
    expect(new Set(sets.map((sizes) => JSON.stringify(sizes))).size).toBe(sets.length);
  });

  test('give a name that stands at two places one size', () => {
    expect(assumed([ids(['n', 'n'])])).toEqual({ n: 1 });
  });
});

describe('hints about sizes', () => {
  const hints = (properties: object, table: string) => {
    const metadataProps = Object.entries(properties).map(([key, value]: [string, unknown]) => ({
      key,
      value,
    }));
    const nodes = [node('Add', ['x', table], ['y'])];
    const model = modelOf(nodes, { x: [6, 4] }, [floats(table, [6, 4])], { metadataProps });
    return sizeHints(parseModel(saveModel(model)));
  };

  test.each<[properties: object, found: object, table?: string]>([
    [{ imgsz: '[384, 640]' }, { picture: [384, 640] }],
    [{ imgsz: '416' }, { picture: [416, 416] }],
    [{ input_size: '224x192' }, { picture: [224, 192] }],
    [
      { batch: '4', stride: '32', sample_rate: '8000' },
      { batch: 4, sampleRate: 8000 },
    ],
    [{ MAX_LENGTH: '77' }, { maxSequence: 77 }],
    [{ imgsz: 'large', batch: '0', sample_rate: '-1', max_length: '9'.repeat(300) }, {}],
    // The rows of a table of positions limit sequences.
    [{}, { maxSequence: 6 }, 'bert.position_embeddings.weight'],
    [{ max_length: '5' }, { maxSequence: 5 }, 'bert.position_embeddings.weight'],
  ])('are read from metadata such as %j', (properties, found, table = 'w') => {
    expect(hints(properties, table)).toEqual(found);
  });
});
