/** The example of an endpoint for embeddings with a small model of MiniLM's form, and what ONNX Runtime computes with it. */
import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import OpenAI from 'openai';
import { fromNested } from '../../client/tensors/from-nested';
import { typedTensors } from '../../client/tensors/from-raw';
import { Example } from './example';
import { saveModel } from './model-builder';
import { runWhole } from './run-slices';
import { request } from './signed-request';
import { type Export, smallMiniLm, TORCH_EXPORT } from './small-minilm';

const SMALL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'a', 'cat', 'play', '##ing', '##s', 'cafe', '.'];

export const MODEL = 'all-MiniLM-L6-v2';
export const KEY = `sk-${randomBytes(32).toString('base64url')}`;
export const DIGEST = createHash('sha256').update(KEY).digest('hex');

/** The example with a small model and its tokenizer. */
export async function written(names: Export = TORCH_EXPORT): Promise<Example> {
  const example = new Example('embeddings');
  fs.mkdirSync(path.join(example.folder, 'minilm'));
  saveModel(smallMiniLm(SMALL.length, 2, 16, names), 'model.onnx', path.join(example.folder, 'minilm'));
  fs.writeFileSync(path.join(example.folder, 'vocab.txt'), SMALL.join('\n'));
  expect(await example.run('write-tokenizer', ['vocab.txt'])).toMatchObject({ code: 0 });
  return example;
}

/** What a caller expects of the whole model in ONNX Runtime: the mean of each text's token vectors, of the length 1. */
export async function vectorsOf(
  example: Example,
  rows: readonly (readonly number[])[],
  inputs = TORCH_EXPORT.inputs,
): Promise<number[][]> {
  const width = Math.max(...rows.map((row) => row.length));
  const padded = (fill: (row: readonly number[], at: number) => number) =>
    rows.map((row) => Array.from({ length: width }, (_, at) => fill(row, at)));
  const all = [padded((row, at) => row[at] ?? 0), padded((row, at) => Number(at < row.length))];
  const lists = [...all, padded(() => 0)];
  const spec = { dtype: 'int64', shape: [null, null] } as const;
  const feeds = new Map(inputs.map((name, at) => [name, fromNested({ name, ...spec }, lists[at])]));
  const outputs = await runWhole(path.join(example.folder, 'minilm/model.onnx'), feeds);
  const [{ shape, data }] = Object.values(typedTensors(outputs));
  const values = data as Float32Array;
  return rows.map((row, text) => {
    const sums = Array.from({ length: shape[2] }, (_, at) =>
      row.reduce((sum, _, token) => sum + values[(text * width + token) * shape[2] + at], 0),
    );
    const length = Math.sqrt(sums.reduce((sum, value) => sum + value * value, 0));
    return sums.map((sum) => sum / length);
  });
}

export function expectClose(
  got: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
): void {
  expect(got.map((row) => row.length)).toEqual(expected.map((row) => row.length));
  got.forEach((row, text) => {
    row.forEach((value, at) => {
      expect(value).toBeCloseTo(expected[text][at], 5);
    });
  });
}

/** The tokens by hand: `[CLS]` is 2, `[SEP]` is 3. */
export const TEXTS = ['A cat plays.', 'Playing', 'unheard'];
export const IDS = [
  [2, 4, 5, 6, 8, 10, 3],
  [2, 6, 7, 3],
  [2, 1, 3],
];

/**
 * The client from npm, which sends its requests through the test's own TLS, because Node.js reads NODE_EXTRA_CA_CERTS only when it starts.
 *
 * @param ca the authority of the server, as PEM
 */
export function openaiClient(baseURL: string, ca: string, apiKey = KEY): OpenAI {
  return new OpenAI({
    ...{ apiKey, baseURL, maxRetries: 0 },
    fetch: async (to, init) => {
      const { method = 'GET', body } = init ?? {};
      const headers = Object.fromEntries(new Headers(init?.headers).entries());
      const answer = await request(to as string, ca, { method, headers, body: body as string });
      return new Response(JSON.stringify(answer.body), {
        status: answer.status,
        headers: { 'content-type': answer.headers['content-type'] ?? '' },
      });
    },
  });
}
