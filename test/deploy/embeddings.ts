/** The example of an endpoint for embeddings on MiniStack: the unmodified client from npm calls the deployed URL. */
import OpenAI from 'openai';
import {
  DIGEST,
  expectClose,
  IDS,
  MODEL,
  openaiClient,
  TEXTS,
  vectorsOf,
  written,
} from '../support/embeddings-example';
import type { Cloud } from './cloud';

const STACK = 'Embeddings';

export async function embeds(cloud: Cloud): Promise<void> {
  const example = await written();
  const folder = await example.synthesize({ keyDigests: DIGEST });
  const { FunctionUrl: url } = await cloud.deploy(STACK, folder);
  try {
    // Without names of hosts, MiniStack takes the URL's id in the path.
    const [id] = new URL(url).hostname.split('.');
    const place = `${cloud.endpoint}/_aws/lambda-url/${id}/v1`;
    const client = (key?: string) => openaiClient(place, cloud.authority, key);
    const { data, usage } = await client().embeddings.create({ model: MODEL, input: TEXTS });
    expectClose(
      data.map(({ embedding }) => embedding),
      await vectorsOf(example, IDS),
    );
    expect(usage).toEqual({ prompt_tokens: 14, total_tokens: 14 });
    const refused = client('wrong').embeddings.create({ model: MODEL, input: 'a' });
    await expect(refused).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  } finally {
    await cloud.destroy(STACK, folder);
  }
}
