/** The example of an endpoint for embeddings, with a small model of MiniLM's form. The expected vectors are those of ONNX Runtime. */
import { execFile, execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import OpenAI from 'openai';
import { Tokens } from '../../examples/embeddings/tokens';
import type { LocalCloud } from '../../local';
import { start } from '../support/deployed-pipeline';
import {
  DIGEST,
  expectClose,
  IDS,
  KEY,
  MODEL,
  openaiClient,
  TEXTS,
  vectorsOf,
  written,
} from '../support/embeddings-example';
import { Example, serve } from '../support/example';
import { request } from '../support/signed-request';
import { HUGGING_FACE_EXPORT, SENTENCE_TRANSFORMERS_EXPORT, TORCH_EXPORT } from '../support/small-minilm';

describe('the endpoint', () => {
  let cloud: LocalCloud;
  let example: Example;
  let url: string;
  beforeAll(async () => {
    example = await written();
    cloud = await start(await example.synthesize({ keyDigests: `${'0'.repeat(64)},${DIGEST}` }));
    [url] = cloud.functionUrls.values();
  });

  const post = (body: unknown, { path: route = 'v1/embeddings', key = KEY, method = 'POST' } = {}) =>
    request(`${url}${route}`, cloud.s3.certificateAuthority.pem, {
      method,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  const openai = (apiKey = KEY) => openaiClient(`${url}v1`, cloud.s3.certificateAuthority.pem, apiKey);

  it.each(['base64', 'float'] as const)('answers the client from npm in the form %s', async (format) => {
    const answer = await openai().embeddings.create({ model: MODEL, input: TEXTS, encoding_format: format });
    const embeddings = answer.data.map(({ embedding }) =>
      format === 'float' ? embedding : floatsOf(embedding as unknown as string),
    );
    expectClose(embeddings, await vectorsOf(example, IDS));
    expect(answer.data.map(({ index, object }) => [index, object])).toEqual(
      [0, 1, 2].map((at) => [at, 'embedding']),
    );
    expect(answer).toMatchObject({ object: 'list', model: MODEL });
    expect(answer.usage).toEqual({ prompt_tokens: 14, total_tokens: 14 });
  });

  it('answers the client from npm that asks for no form, with numbers', async () => {
    const { data } = await openai().embeddings.create({ model: MODEL, input: TEXTS[0] });
    expectClose([data[0].embedding], await vectorsOf(example, [IDS[0]]));
  });

  it('gives the client from npm its own errors', async () => {
    const asked = { model: MODEL, input: 'a' };
    await expect(openai('wrong').embeddings.create(asked)).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    const other = openai().embeddings.create({ ...asked, model: 'text-embedding-3-small' });
    await expect(other).rejects.toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
    const empty = openai().embeddings.create({ ...asked, input: '' });
    await expect(empty).rejects.toMatchObject({ status: 400, type: 'invalid_request_error', param: 'input' });
  });

  it('answers the client from PyPI', async () => {
    const python = pythonWithClient();
    if (python === undefined) {
      console.warn('skipped: no Python has the package openai; PYTHON_WITH_OPENAI names one that does');
      return;
    }
    const code = `import json, openai, sys
client = openai.OpenAI()
answer = client.embeddings.create(model="${MODEL}", input=json.loads(sys.argv[1]))
tokens = client.embeddings.create(model="${MODEL}", input=[5, 6], encoding_format="float")
try:
    openai.OpenAI(api_key="wrong").embeddings.create(model="${MODEL}", input="a")
except openai.AuthenticationError as error:
    code = error.code
print(json.dumps([[item.embedding for item in answer.data], answer.usage.total_tokens, tokens.data[0].embedding, code]))`;
    const environment = {
      ...{ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: `${url}v1` },
      ...{ SSL_CERT_FILE: cloud.s3.certificateAuthority.file, NO_PROXY: '127.0.0.1' },
    };
    const { stdout } = await promisify(execFile)(python, ['-c', code, JSON.stringify(TEXTS)], {
      env: { ...process.env, ...environment },
    });
    const [vectors, total, tokens, refusal] = JSON.parse(stdout) as [number[][], number, number[], string];
    expectClose(vectors, await vectorsOf(example, IDS));
    expectClose([tokens], await vectorsOf(example, [[2, 5, 6, 3]]));
    expect([total, refusal]).toEqual([14, 'invalid_api_key']);
  });

  it.each([
    ['tokens', [5, 6, 7], [[2, 5, 6, 7, 3]]],
    [
      'lists of tokens',
      [[5], [6, 7]],
      [
        [2, 5, 3],
        [2, 6, 7, 3],
      ],
    ],
    ['a text with a backslash, a quote and a letter of four bytes', '\\"😀', [[2, 1, 1, 1, 3]]],
  ])('takes %s', async (_, input, ids) => {
    const { status, body } = await post({ model: MODEL, input, encoding_format: 'float', user: 'me' });
    expect(status).toBe(200);
    const { data } = body as unknown as { data: { embedding: number[] }[] };
    expectClose(
      data.map(({ embedding }) => embedding),
      await vectorsOf(example, ids),
    );
  });

  const asked = { model: MODEL, input: 'a' };
  const long = 'a '.repeat(255);
  it.each<[string, number, string, unknown, Parameters<typeof post>[1]]>([
    ['another key', 401, 'the API key must be one of this endpoint', asked, { key: 'x' }],
    ['the digest instead of the key', 401, 'the API key must be', asked, { key: DIGEST }],
    ['another path', 404, 'the path must be /v1/embeddings, got /v1/chat', asked, { path: 'v1/chat' }],
    ['another method', 405, 'the method must be POST, got PUT', asked, { method: 'PUT' }],
    ['a body that is no JSON', 400, 'the body must be JSON', '{', {}],
    ['a body that is no object', 400, 'the body must be a JSON object', [], {}],
    ['no model', 400, "model must be 'all-MiniLM-L6-v2', got none", { input: 'a' }, {}],
    ['no input', 400, 'input must be a text, a list of texts, or tokens, got none', { model: MODEL }, {}],
    ['no texts', 400, 'input must have 1 to 512 texts, got 0', { ...asked, input: [] }, {}],
    ['a list with null', 400, 'input must be a text', { ...asked, input: ['a', null] }, {}],
    ['a token below 0', 400, 'input must be a text', { ...asked, input: [-1] }, {}],
    ['an unknown token', 400, 'input 0 must have tokens below 11, got 11', { ...asked, input: [11] }, {}],
    [
      '257 tokens',
      400,
      'input 1 must have at most 256 tokens, got 257',
      { ...asked, input: ['a', long] },
      {},
    ],
    [
      'more tokens than memory is planned for',
      400,
      'the request must have at most 2048 tokens, each input counted as the longest, got 2052',
      { ...asked, input: Array<string>(9).fill('a '.repeat(226)) },
      {},
    ],
    [
      'another form',
      400,
      "encoding_format must be 'float' or 'base64'",
      { ...asked, encoding_format: 1 },
      {},
    ],
    ['a part of a vector', 400, 'dimensions must be 16, got 8', { ...asked, dimensions: 8 }, {}],
    ['no dimensions', 400, 'dimensions must be a whole number above 0', { ...asked, dimensions: 0 }, {}],
  ])('refuses %s with %i', async (_, status, message, body, options) => {
    const answer = await post(body, options);
    expect(answer.status).toBe(status);
    const { error } = answer.body as { error: Record<string, unknown> };
    expect(error).toMatchObject({ type: 'invalid_request_error' });
    expect(error.message).toContain(message);
    expect(Object.keys(error)).toEqual(['message', 'type', 'param', 'code']);
  });

  it('answers a caller with AWS credentials without a key, and tells it of mistakes', async () => {
    const lambda = new LambdaClient(cloud.lambda);
    const invoke = async (event: unknown) => {
      const Payload = Buffer.from(JSON.stringify(event));
      const command = new InvokeCommand({ FunctionName: cloud.pipeline.stateMachineArn, Payload });
      return JSON.parse((await lambda.send(command)).Payload?.transformToString() ?? '') as object;
    };
    expect(await invoke({ input: TEXTS })).toMatchObject({ usage: { total_tokens: 14 } });
    expect(await invoke({ input: '' })).toMatchObject({ errorType: 'InvalidRequest' });
    lambda.destroy();
  });

  it('has no key in its template, and gives the function the digests', () => {
    const text = fs.readFileSync(path.join(example.folder, 'cdk.out/Embeddings.template.json'), 'utf8');
    expect(text).not.toContain(KEY);
    expect(text).toContain(DIGEST);
  });
});

/** Numbers of 32 bits, with the lowest byte first. */
function floatsOf(text: string): number[] {
  const bytes = Buffer.from(text, 'base64');
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(4 * at));
}

function pythonWithClient(): string | undefined {
  const { PYTHON_WITH_OPENAI: given = 'python3' } = process.env;
  try {
    execFileSync(given, ['-c', 'import openai'], { stdio: 'ignore' });
    return given;
  } catch {
    // There is no Python, or it has no such package.
    return undefined;
  }
}

it.each([
  ['the package', TORCH_EXPORT],
  ['Hugging Face', HUGGING_FACE_EXPORT],
  ['Sentence Transformers', SENTENCE_TRANSFORMERS_EXPORT],
])('the example computes the vectors of the whole model with the names of %s', async (_, names) => {
  const example = await written(names);
  const cloud = await start(await example.synthesize());
  expect(cloud.functionUrls.size).toBe(0);
  const { output } = (await cloud.execute({ input: TEXTS })) as unknown as {
    output: { data: { embedding: number[] }[] };
  };
  const vectors = output.data.map(({ embedding }) => embedding);
  expectClose(vectors, await vectorsOf(example, IDS, names.inputs));
  for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 6);
});

it('embeds a folder of texts in a batch, and says which text is too long', async () => {
  const example = await written();
  const assembly = await example.synthesize();
  const texts = { 'a.txt': TEXTS[0], 'b.txt': TEXTS[1], 'c.txt': 'a '.repeat(255) };
  fs.mkdirSync(path.join(example.folder, 'texts'));
  for (const [name, text] of Object.entries(texts))
    fs.writeFileSync(path.join(example.folder, 'texts', name), text);
  const served = await serve(assembly, ['--pipeline', 'Texts']);
  const { code, stdout, stderr } = await example.run('embed-folder', ['texts'], served.environment);
  await served.stop();
  expect(code).toBe(1);
  expect(stdout).toContain('2 embedded, 0 known, 1 failed: vectors.jsonl');
  expect(stderr).toContain('failed: c.txt: input 0 must have at most 256 tokens, got 257: split the text');
  const lines = fs.readFileSync(path.join(example.folder, 'vectors.jsonl'), 'utf8').trim().split('\n');
  const rows = lines.map((line) => JSON.parse(line) as { file: string; vector: number[] });
  expect(rows.map(({ file }) => file)).toEqual(['a.txt', 'b.txt']);
  const alone = IDS.slice(0, 2).map(async (ids) => (await vectorsOf(example, [ids]))[0]);
  expectClose(
    rows.map(({ vector }) => vector),
    await Promise.all(alone),
  );
});

it.each([
  ['a key instead of its digest', { keyDigests: KEY }, 'keyDigests must be SHA-256 digests'],
  ['a digest in capitals', { keyDigests: DIGEST.toUpperCase() }, 'keyDigests must be SHA-256 digests'],
])('the app refuses %s', async (_, context, message) => {
  await expect((await written()).synthesize(context)).rejects.toThrow(message);
});

describe('the tokenizer', () => {
  let tokens: Tokens;
  beforeAll(async () => {
    tokens = await Tokens.read(path.join((await written()).folder, 'minilm/tokenizer.json'));
  });

  it.each([
    ['splits words into the longest pieces', 'playings', [2, 6, 7, 8, 3]],
    ['ignores case and accents', 'Café', [2, 9, 3]],
    ['separates punctuation', 'cat.', [2, 5, 10, 3]],
    ['knows no word that its pieces do not cover', 'caterpillar a', [2, 1, 4, 3]],
    ['takes no token from a text', '[SEP]', [2, 1, 1, 1, 3]],
    ['encodes a text of spaces', ' ', [2, 3]],
  ])('%s', (_, text, ids) => {
    expect(tokens.idsOf([text])).toEqual([ids]);
  });
});

it('write-tokenizer refuses a vocabulary of another kind', async () => {
  const example = new Example('embeddings');
  fs.writeFileSync(path.join(example.folder, 'vocab.txt'), '<s>\n</s>');
  const { code, stderr } = await example.run('write-tokenizer', ['vocab.txt']);
  expect(code).toBe(1);
  expect(stderr).toContain('the vocabulary must have [CLS], [SEP] and [UNK], got none of [CLS]');
});
