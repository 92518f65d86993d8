/** BERT's tokenizer for lower-case text, https://github.com/google-research/bert/blob/master/tokenization.py */

const PAD = '[PAD]';
const UNKNOWN = '[UNK]';
const START = '[CLS]';
const END = '[SEP]';
/** Begins a piece inside of a word. */
const INSIDE = '##';
/** A longer word is unknown. */
const LONGEST_WORD = 100;

const ACCENTS = /\p{Mn}/gu;
/** Words, and each mark of punctuation or Chinese character for itself. */
const WORDS = /[\p{P}\p{S}\p{Script=Han}]|[^\s\p{P}\p{S}\p{Script=Han}\p{C}]+/gu;

export interface Tokens {
  /** All int64 [texts, length of the longest text]. */
  readonly ids: readonly (readonly number[])[];
  /** 1 for a token, 0 for padding. */
  readonly mask: readonly (readonly number[])[];
}

export class WordPiece {
  private readonly ids: ReadonlyMap<string, number>;

  /**
   * @param vocabulary one token a line, as in the file `vocab.txt` of a model
   * @param longest most tokens of a text; all-MiniLM-L6-v2 was trained with 256
   */
  constructor(
    vocabulary: string,
    private readonly longest = 256,
  ) {
    this.ids = new Map(
      vocabulary
        .trimEnd()
        .split(/\r?\n/)
        .map((token, id) => [token, id]),
    );
    const missing = [PAD, UNKNOWN, START, END].filter((token) => !this.ids.has(token));
    if (missing.length > 0)
      throw new Error(
        `the vocabulary must have ${PAD}, ${UNKNOWN}, ${START} and ${END}, got none of ${missing.join(', ')}: use the model's vocab.txt`,
      );
  }

  encode(texts: readonly string[]): Tokens {
    const tokens = texts.map((text) => {
      const words = text.toLowerCase().normalize('NFD').replaceAll(ACCENTS, '').match(WORDS) ?? [];
      return [START, ...words.flatMap((word) => this.pieces(word)).slice(0, this.longest - 2), END];
    });
    const length = Math.max(...tokens.map((each) => each.length));
    const padded = tokens.map((each) => [...each, ...Array<string>(length - each.length).fill(PAD)]);
    return {
      ids: padded.map((each) => each.map((token) => this.idOf(token))),
      mask: tokens.map((each) => padded[0].map((_, at) => (at < each.length ? 1 : 0))),
    };
  }

  /** The longest known beginning of the word, then that of the rest. */
  private pieces(word: string): string[] {
    if (word.length > LONGEST_WORD) return [UNKNOWN];
    const pieces: string[] = [];
    let start = 0;
    while (start < word.length) {
      let end = word.length;
      const piece = (): string => (start === 0 ? '' : INSIDE) + word.slice(start, end);
      while (end > start && !this.ids.has(piece())) end--;
      if (end === start) return [UNKNOWN];
      pieces.push(piece());
      start = end;
    }
    return pieces;
  }

  private idOf(token: string): number {
    const id = this.ids.get(token);
    // The pieces come from the vocabulary.
    if (id === undefined) throw new Error(`the vocabulary must have '${token}', got none: use the model's`);
    return id;
  }
}
