/** Decodes the recognition model's output into text. */
import * as fs from 'node:fs';

/** The class that means "no new character". */
const BLANK = 0;

/** The character of each output class: none for class 0, then the keys in the file, one a line, then a space. */
export function readAlphabet(file: string): string[] {
  return ['', ...fs.readFileSync(file, 'utf8').split(/\r?\n/).filter(Boolean), ' '];
}

export interface ReadLine {
  readonly text: string;
  /** Mean probability of the characters, from 0 to 1; 0 if there are no characters. */
  readonly confidence: number;
}

/** Probabilities of characters. */
interface Recognized {
  /** Lines, steps, classes. */
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Decodes each line by greedy CTC: takes the likeliest class of each step and merges repetitions. */
export function readLines({ shape, data }: Recognized, alphabet: readonly string[]): ReadLine[] {
  const [lines, steps, classes] = shape;
  if (classes !== alphabet.length) {
    throw new Error(
      `the model must know ${alphabet.length} characters, got ${classes}: use its own alphabet`,
    );
  }
  const size = steps * classes;
  return Array.from({ length: lines }, (_, line) =>
    readOne(data.subarray(line * size, (line + 1) * size), classes, alphabet),
  );
}

function readOne(probabilities: Float32Array, classes: number, alphabet: readonly string[]): ReadLine {
  const confidences: number[] = [];
  let text = '';
  let previous = BLANK;
  for (let start = 0; start < probabilities.length; start += classes) {
    const row = probabilities.subarray(start, start + classes);
    let best = 0;
    for (let index = 1; index < classes; index++) if (row[index] > row[best]) best = index;
    if (best !== BLANK && best !== previous) {
      text += alphabet[best];
      confidences.push(row[best]);
    }
    previous = best;
  }
  const sum = confidences.reduce((total, value) => total + value, 0);
  // The model reads margins as spaces.
  return { text: text.trim(), confidence: confidences.length === 0 ? 0 : sum / confidences.length };
}
