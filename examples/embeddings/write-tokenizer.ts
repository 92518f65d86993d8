/**
 * Writes `minilm/tokenizer.json`, BERT's tokenizer for lower-case text, from a vocabulary, a token a line:
 *
 *     npx tsx write-tokenizer.ts vocab.txt
 *
 * Exports from Hugging Face have the file already.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { TOKENIZER } from './model';

const [START, END, UNKNOWN] = ['[CLS]', '[SEP]', '[UNK]'];

/** https://huggingface.co/docs/tokenizers/components */
function tokenizerOf(tokens: readonly string[]): object {
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const missing = [START, END, UNKNOWN].filter((token) => !(token in vocab));
  if (missing.length > 0)
    throw new Error(
      `the vocabulary must have ${START}, ${END} and ${UNKNOWN}, got none of ${missing.join(', ')}: use the model's vocab.txt`,
    );
  const special = (token: string) => ({ id: token, ids: [vocab[token]], tokens: [token] });
  const piece = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  return {
    version: '1.0',
    added_tokens: [],
    normalizer: {
      ...{ type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true },
      ...{ strip_accents: null, lowercase: true },
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: {
      ...{ type: 'WordPiece', unk_token: UNKNOWN, continuing_subword_prefix: '##' },
      ...{ max_input_chars_per_word: 100, vocab },
    },
    post_processor: {
      type: 'TemplateProcessing',
      single: [piece(START), { Sequence: { id: 'A', type_id: 0 } }, piece(END)],
      pair: [],
      special_tokens: { [START]: special(START), [END]: special(END) },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  };
}

function main(file: string | undefined): void {
  if (file === undefined) throw new Error('no vocabulary: run npx tsx write-tokenizer.ts vocab.txt');
  const tokens = readFileSync(file, 'utf8').trimEnd().split(/\r?\n/);
  writeFileSync(TOKENIZER, JSON.stringify(tokenizerOf(tokens)));
}

try {
  main(process.argv[2]);
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
}
