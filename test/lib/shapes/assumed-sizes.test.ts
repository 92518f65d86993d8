import { assumedSizes } from '../../../lib/shapes/assumed-sizes';
import type { SizedInput } from '../../../lib/shapes/input-layout';

type Shape = SizedInput['shape'];

function input(name: string, shape: Shape, dtype = 'float32'): SizedInput {
  return { name, shape, dtype };
}

const ids = (shape: Shape, name = 'input_ids') => input(name, shape, 'int64');

function assumed(inputs: readonly SizedInput[], given = {}, hints = {}) {
  return assumedSizes(inputs, given, hints)[0];
}

describe('the sizes of the table', () => {
  test.each<[string, readonly SizedInput[], object]>([
    ['batch 1 and sequence 128 for tokens', [ids(['batch', 'sequence'])], { batch: 1, sequence: 128 }],
    [
      'the same for names of other exporters',
      [ids(['batch_size', 'max_seq_len_in_batch'])],
      { batch_size: 1, max_seq_len_in_batch: 128 },
    ],
    ['the same for names in capital letters', [ids(['N', 'SeqLen'])], { N: 1, SeqLen: 128 }],
    ['the same without names', [ids([null, null])], { 'input_ids[0]': 1, 'input_ids[1]': 128 }],
    ['the same for numbered names', [ids(['unk__1', 'unk__2'])], { unk__1: 1, unk__2: 128 }],
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
    [
      'the same for names of PaddlePaddle',
      [input('x', ['p2o.DynamicDimension.0', 3, 'p2o.DynamicDimension.1', 'p2o.DynamicDimension.2'])],
      { 'p2o.DynamicDimension.0': 1, 'p2o.DynamicDimension.1': 640, 'p2o.DynamicDimension.2': 640 },
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
  const inputs = [ids(['batch', 'sequence']), ids(['batch', 'total'], 'attention_mask')];
  const past = input('past.key', ['batch', 4, 'past', 8]);

  test('win in every set of sizes', () => {
    for (const sizes of assumedSizes([...inputs, past], { sequence: 5 })) expect(sizes.sequence).toBe(5);
  });

  test('count in sums', () => {
    expect(assumed([...inputs, past], { sequence: 5, past: 1000 })).toMatchObject({ total: 1005 });
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
