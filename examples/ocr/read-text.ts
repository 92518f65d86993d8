/** Decodes the recognition model's output into text. */
import { elementsOf, type NumericTensor } from 'cdk-sliced-inference/client';

/** The class that means "no new character". */
const BLANK = 0;

interface RecognizedText {
  readonly text: string;
  /** Mean probability of the characters, from 0 to 1; 0 if there are no characters. */
  readonly confidence: number;
}

/** Decodes float32 [1, steps, classes] by greedy CTC: takes the likeliest class of each step and merges repetitions. */
export function readText(output: NumericTensor, alphabet: readonly string[]): RecognizedText {
  const [, steps, classes] = output.shape;
  if (classes !== alphabet.length) {
    throw new Error(
      `the model must know ${alphabet.length} characters, got ${classes}: use its own alphabet`,
    );
  }
  const probabilities = elementsOf(output) as Float32Array;
  const confidences: number[] = [];
  let text = '';
  let previous = BLANK;
  for (let step = 0; step < steps; step++) {
    const row = probabilities.subarray(step * classes, (step + 1) * classes);
    const best = row.reduce((top, probability, index) => (probability > row[top] ? index : top), 0);
    if (best !== BLANK && best !== previous) {
      text += alphabet[best];
      confidences.push(row[best]);
    }
    previous = best;
  }
  const sum = confidences.reduce((total, value) => total + value, 0);
  // The model reads the margins of a picture as spaces.
  return { text: text.trim(), confidence: confidences.length === 0 ? 0 : sum / confidences.length };
}
