/**
 * Embeds sentences and prints how similar each two are:
 *
 *     STATE_MACHINE_ARN=arn:aws:states:… npx tsx call.ts ['A sentence.' 'Another one.' …]
 */
import { readFileSync } from 'node:fs';
import { SlicedInferenceClient } from 'cdk-sliced-inference/client';
import { embed, similarity } from './embed';
import { VOCABULARY } from './model';
import { WordPiece } from './word-piece';

const SENTENCES = ['The cat sat on the mat.', 'A dog lay on the rug.', 'The stock market fell today.'];

async function main(sentences: readonly string[]): Promise<void> {
  const { STATE_MACHINE_ARN: stateMachineArn } = process.env;
  if (stateMachineArn === undefined) throw new Error('STATE_MACHINE_ARN is not set: run `. ./cloud.env`');
  const tokenizer = new WordPiece(readFileSync(VOCABULARY, 'utf8'));
  const model = new SlicedInferenceClient({ stateMachineArn });
  const vectors = await embed(model, tokenizer, sentences);
  await model.close();
  sentences.forEach((sentence, at) => {
    const similarities = vectors.slice(0, at).map((other) => similarity(vectors[at], other).toFixed(3));
    console.log([sentence, ...similarities].join('  '));
  });
}

const given = process.argv.slice(2);
main(given.length === 0 ? SENTENCES : given).catch((error: unknown) => {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
});
