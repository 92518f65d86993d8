/** Texts to tokens, with the model's tokenizer: its file `tokenizer.json` lies beside the function's code. */
import { readFileSync } from 'node:fs';
import { ApiError } from './api-error';

/** The model was trained with so many. */
export const MAX_TOKENS = 256;

/** Of all texts of a request, each as long as the longest. The memory of the function is planned for them. */
export const MAX_PADDED_TOKENS = 8 * MAX_TOKENS;

/** What is used of the library. Its own declarations do not resolve with the compiler's settings for Node.js. */
interface Library {
  readonly Tokenizer: new (file: object, config: object) => Tokenizer;
}
interface Tokenizer {
  encode(text: string): { readonly ids: number[] };
  get_vocab(): ReadonlyMap<string, number>;
}

export class Tokens {
  private readonly size: number;

  /** @param file path of `tokenizer.json` */
  public static async read(file: string): Promise<Tokens> {
    const { Tokenizer } = (await import('@huggingface/tokenizers')) as unknown as Library;
    return new Tokens(new Tokenizer(JSON.parse(readFileSync(file, 'utf8')) as object, {}));
  }

  private constructor(private readonly tokenizer: Tokenizer) {
    this.size = tokenizer.get_vocab().size;
  }

  /**
   * The ids of the tokens of each input, with [CLS] before and [SEP] after them.
   *
   * @throws ApiError for inputs that are too long, and for tokens that the vocabulary does not have
   */
  public idsOf(inputs: readonly (string | readonly number[])[]): number[][] {
    const [start, end] = this.tokenizer.encode('').ids;
    const ids = inputs.map((input, at) => {
      const own = typeof input === 'string' ? this.tokenizer.encode(input).ids : [start, ...input, end];
      const unknown = own.find((id) => id >= this.size);
      if (unknown !== undefined)
        throw tooMuch(`input ${at} must have tokens below ${this.size}, got ${unknown}: send texts`);
      if (own.length > MAX_TOKENS)
        throw tooMuch(
          `input ${at} must have at most ${MAX_TOKENS} tokens, got ${own.length}: split the text`,
        );
      return own;
    });
    const padded = ids.length * Math.max(...ids.map((own) => own.length));
    if (padded <= MAX_PADDED_TOKENS) return ids;
    throw tooMuch(
      `the request must have at most ${MAX_PADDED_TOKENS} tokens, each input counted as the longest, got ${padded}: send fewer inputs`,
    );
  }
}

function tooMuch(message: string): ApiError {
  return new ApiError(400, message, { param: 'input' });
}
