/** Each fault of S3, seen by a function that sends one request. */
import { LocalCloud, type FaultKind, type InjectedFault } from '../../../local';
import { PipelineStack, synthesize } from '../../support/pipeline-app';

const SDK = JSON.stringify(require.resolve('@aws-sdk/client-s3'));

/** Sends the request without retries, and returns what came back or the name of the error. */
const HANDLER = `
const https = require('node:https');
const { GetObjectCommand, PutObjectCommand, S3Client } = require(${SDK});
const Bucket = process.env.BUCKET;
exports.handler = async ({ request: { operation, key = 'object', silenceMs } }) => {
  const s3 = new S3Client({
    maxAttempts: 1,
    requestHandler: { requestTimeout: silenceMs, throwOnRequestTimeout: true },
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  try {
    if (operation === 'PUT') {
      await s3.send(new PutObjectCommand({ Bucket, Key: key, Body: 'x'.repeat(1000), IfNoneMatch: '*' }));
      return { stored: true };
    }
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: key }));
    let bytes = 0, text = '';
    const stall = setTimeout(() => Body.destroy(new Error('stalled')), silenceMs);
    try {
      for await (const chunk of Body) { bytes += chunk.length; text += chunk.toString('latin1'); }
      return { bytes, text };
    } catch (error) {
      return { bytes, error: error.code ?? error.message };
    } finally { clearTimeout(stall); }
  } catch (error) {
    return { error: error.code ?? error.name, status: error.$metadata?.httpStatusCode };
  } finally { s3.destroy(); }
};`;

const OBJECT = Buffer.from('abcdefghij'.repeat(200));

let cloud: LocalCloud;
const faults: InjectedFault[] = [];
beforeAll(async () => {
  const assembly = synthesize((app) => new PipelineStack(app, 'Faults', { source: HANDLER }));
  cloud = await LocalCloud.start(assembly, {
    retryPauses: 0,
    onFault: (fault) => faults.push(fault),
  });
  await cloud.putObject('object', OBJECT);
  // Starts the function, so that no call below waits for that.
  await meet('reset', {}, 0);
});
afterAll(() => cloud.close());

/** Runs the function while one kind of fault always strikes. */
async function meet(kind: FaultKind, request: object, rate = 1) {
  faults.length = 0;
  cloud.injectFaults({ seed: 1, rates: { [kind]: rate } });
  const result = await cloud.execute({ operation: 'GET', silenceMs: 20_000, ...request });
  return result.status === 'SUCCEEDED' ? result.output : { error: result.error, cause: result.cause };
}

async function stored(key: string): Promise<string> {
  return (await cloud.getObject(key)).toString();
}

const PUT = { operation: 'PUT' };

describe('the S3 fault', () => {
  it.each([
    ['s3-503', { error: 'SlowDown', status: 503 }],
    ['s3-500', { error: 'InternalError', status: 500 }],
    ['reset', { error: 'ECONNRESET' }],
  ] as const)('%s is what a read meets', async (kind, outcome) => {
    expect(await meet(kind, {})).toEqual(outcome);
    expect(faults).toEqual([
      {
        kind,
        time: expect.any(Number) as number,
        run: expect.stringContaining(':express:') as string,
        place: `GET ${cloud.pipeline.bucket}/object`,
      },
    ]);
  });

  it('s3-409 refuses conditional writes only', async () => {
    expect(await meet('s3-409', { ...PUT, key: 'a' })).toEqual({
      error: 'ConditionalRequestConflict',
      status: 409,
    });
    expect(await meet('s3-409', {})).toMatchObject({ bytes: OBJECT.length });
    expect(faults).toEqual([]);
  });

  it('lost-answer stores the object and resets the connection', async () => {
    expect(await meet('lost-answer', { ...PUT, key: 'b' })).toEqual({ error: 'ECONNRESET' });
    expect(await stored('b')).toBe('x'.repeat(1000));
  });

  it('slow-response delays an answer that is right', async () => {
    expect(await meet('slow-response', {})).toMatchObject({ text: OBJECT.toString() });
    expect(faults).toHaveLength(1);
  });

  it('short-body sends a half of the body and closes the connection', async () => {
    expect(await meet('short-body', {})).toEqual({ bytes: OBJECT.length / 2, error: 'ECONNRESET' });
  });

  it('stalled-body sends a half of the body and stays silent', async () => {
    expect(await meet('stalled-body', { silenceMs: 300 })).toEqual({
      bytes: OBJECT.length / 2,
      error: 'stalled',
    });
  });

  it('flipped-bit changes one bit of a response', async () => {
    const { text } = (await meet('flipped-bit', {})) as { readonly text: string };
    const received = Buffer.from(text, 'latin1');
    const changed = [...received].map((byte, at) => byte ^ OBJECT[at]).filter((bits) => bits !== 0);
    expect(received).toHaveLength(OBJECT.length);
    expect(changed).toHaveLength(1);
    expect(Math.log2(changed[0]) % 1).toBe(0);
  });

  it('flipped-bit changes the body of a write, whose checksum then does not match', async () => {
    expect(await meet('flipped-bit', { ...PUT, key: 'c' })).toEqual({
      error: 'XAmzContentSHA256Mismatch',
      status: 400,
    });
    await expect(stored('c')).rejects.toThrow('The specified key does not exist.');
  });

  it('forgotten-connection never answers', async () => {
    expect(await meet('forgotten-connection', { silenceMs: 200 })).toEqual({ error: 'ETIMEDOUT' });
  });

  it.each(['killed-before-write', 'killed-during-write'] as const)(
    '%s ends the function and stores nothing',
    async (kind) => {
      expect(await meet(kind, { ...PUT, key: kind })).toMatchObject({ error: 'Runtime.ExitError' });
      await expect(stored(kind)).rejects.toThrow('The specified key does not exist.');
    },
  );

  it('killed-after-write ends the function and stores the object', async () => {
    expect(await meet('killed-after-write', { ...PUT, key: 'd' })).toMatchObject({
      error: 'Runtime.ExitError',
      cause: expect.stringContaining('signal: killed') as string,
    });
    expect(await stored('d')).toBe('x'.repeat(1000));
  });

  it('out-of-memory ends the function as Lambda does', async () => {
    expect(await meet('out-of-memory', {})).toMatchObject({ error: 'Runtime.OutOfMemory' });
  });

  it('strikes no request of anybody but functions', async () => {
    cloud.injectFaults({ seed: 1, rates: { 's3-503': 1 } });
    faults.length = 0;
    expect(await stored('object')).toBe(OBJECT.toString());
    expect(faults).toEqual([]);
  });
});
