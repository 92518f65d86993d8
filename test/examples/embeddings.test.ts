/** The example of sentence embeddings, with a small model of MiniLM's form. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { embed, type Model } from '../../examples/embeddings/embed';
import { WordPiece } from '../../examples/embeddings/word-piece';
import { fromNested } from '../../client/tensors/from-nested';
import { typedTensors } from '../../client/tensors/from-raw';
import { clientOf } from '../support/client-of-cloud';
import { start } from '../support/deployed-pipeline';
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

it.each([
  ['the package', TORCH_EXPORT],
  ['Hugging Face', HUGGING_FACE_EXPORT],
  ['Sentence Transformers', SENTENCE_TRANSFORMERS_EXPORT],
])('the example computes the bits of the whole model with the names of %s', async (_, names) => {
  const embeddings = new Example('embeddings');
  const folder = path.join(embeddings.folder, 'minilm');
  fs.mkdirSync(folder);
  const model = saveModel(smallMiniLm(SMALL.length, 2, 16, names), 'model.onnx', folder);
  const cloud = await start(await embeddings.synthesize({ slices: 3 }));
  const tokenizer = new WordPiece(SMALL.join('\n'));
  const texts = ['A cat plays.', 'Playing', 'unheard'];
  const vectors = await embed(clientOf(cloud), tokenizer, texts);
  expect(vectors).toEqual(await embed(wholeModel(model), tokenizer, texts));
  for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 10);
});

const tokenizer = new WordPiece(SMALL.join('\n'), 6);
const idsOf = (text: string) => tokenizer.encode([text]).ids[0];

it.each([
  ['splits words into the longest pieces', 'playings', [2, 6, 7, 8, 3]],
  ['ignores case and accents', 'Café', [2, 9, 3]],
  ['separates punctuation', 'cat.', [2, 5, 10, 3]],
  ['knows no word that its pieces do not cover', 'caterpillar a', [2, 1, 4, 3]],
  ['cuts texts that are too long', 'a a a a a a', [2, 4, 4, 4, 4, 3]],
  ['encodes an empty text', '', [2, 3]],
])('WordPiece %s', (_, text, ids) => {
  expect(idsOf(text)).toEqual(ids);
});

it('WordPiece refuses a vocabulary of another kind', () => {
  expect(() => new WordPiece('<s>\n</s>')).toThrow('the vocabulary must have [PAD], [UNK], [CLS] and [SEP]');
});
