/** The example of sentence embeddings, with a small model of MiniLM's form. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { embed, meanOf, similarity, type Model } from '../../examples/embeddings/embed';
import { WordPiece } from '../../examples/embeddings/word-piece';
import { fromNested } from '../../client/tensors/from-nested';
import { typedTensors } from '../../client/tensors/from-raw';
import { LocalCloud } from '../../local';
import { clientOf } from '../support/client-of-cloud';
import { Example } from '../support/example';
import { saveModel } from '../support/model-builder';
import { runWhole } from '../support/run-slices';
import {
  HUGGING_FACE_EXPORT,
  SENTENCE_TRANSFORMERS_EXPORT,
  TORCH_EXPORT,
  smallMiniLm,
} from '../support/small-minilm';

const SMALL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'a', 'cat', 'play', '##ing', '##s', 'cafe', '.'];

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
