/**
 * Embeds sentences with the unmodified client of the interface, and prints how similar each two are:
 *
 *     FUNCTION_URL=https://… OPENAI_API_KEY=… npx tsx call.ts ['A sentence.' 'Another one.' …]
 */
import OpenAI from 'openai';
import { similarity } from './pooling';

const SENTENCES = ['The cat sat on the mat.', 'A dog lay on the rug.', 'The stock market fell today.'];

async function main(sentences: readonly string[]): Promise<void> {
  // The client reads OPENAI_API_KEY.
  const { FUNCTION_URL: url } = process.env;
  if (url === undefined) throw new Error('FUNCTION_URL is not set: run `. ./cloud.env`');
  const client = new OpenAI({ baseURL: `${url}v1` });
  const { data, usage } = await client.embeddings.create({
    model: 'all-MiniLM-L6-v2',
    input: [...sentences],
  });
  sentences.forEach((sentence, at) => {
    const { embedding } = data[at];
    const similarities = data.slice(0, at).map((other) => similarity(embedding, other.embedding).toFixed(3));
    console.log([sentence, ...similarities].join('  '));
  });
  console.log(`${usage.total_tokens} tokens`);
}

const given = process.argv.slice(2);
main(given.length === 0 ? SENTENCES : given).catch((error: unknown) => {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
});
