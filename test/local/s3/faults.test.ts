/** Each fault of S3 and of Lambda, seen by a function that sends one request. */
import type { FaultKind, InjectedFault, LocalCloud } from '../../../local';
import { kindsOf } from '../../../local/faults/kinds';
import { PipelineStack, start, synthesize } from '../../support/pipeline-app';
import { until } from '../../support/until';

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
  if (operation === 'THROW') throw new Error('mine');
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
  cloud = await start(assembly, { retryPauses: 0, onFault: (fault) => faults.push(fault) });
  await cloud.putObject('object', OBJECT);
  // Starts the function, so that no call below waits for that.
  await meet('reset', {}, 0);
});

/** Runs the function while one kind of fault always strikes. */
async function meet(kind: FaultKind, request: object, rate = 1) {
  faults.length = 0;
  cloud.injectFaults({ seed: 1, rates: { [kind]: rate } });
  const result = await cloud.execute({ operation: 'GET', silenceMs: 20_000, ...request });
  return result.status === 'SUCCEEDED' ? result.output : { error: result.error, cause: result.cause };
}

/** Of the only function. */
function functionName(): string {
  return [...cloud.logs().keys()][0];
}

async function stored(key: string): Promise<string> {
  return (await cloud.getObject(key)).toString();
}

const SERVICE_FAILURE: unknown = expect.stringMatching(/^Lambda\.(Service|SdkClient|AWSLambda)Exception$/);

/** What the function gets, and whether S3 has its object afterwards. */
const EFFECTS: [kind: FaultKind, operation: 'GET' | 'PUT' | 'THROW', outcome: object, hasStored?: boolean][] =
  [
    ['s3-503', 'GET', { error: 'SlowDown', status: 503 }],
    ['s3-500', 'GET', { error: 'InternalError', status: 500 }],
    ['s3-409', 'PUT', { error: 'ConditionalRequestConflict', status: 409 }],
    ['reset', 'GET', { error: 'ECONNRESET' }],
    ['lost-answer', 'PUT', { error: 'ECONNRESET' }, true],
    ['slow-response', 'GET', { bytes: OBJECT.length, text: OBJECT.toString() }],
    ['short-body', 'GET', { bytes: OBJECT.length / 2, error: 'ECONNRESET' }],
    ['stalled-body', 'GET', { bytes: OBJECT.length / 2, error: 'stalled' }],
    ['flipped-bit', 'PUT', { error: 'XAmzContentSHA256Mismatch', status: 400 }],
    ['forgotten-connection', 'GET', { error: 'ETIMEDOUT' }],
    ['killed-before-write', 'PUT', { error: 'Runtime.ExitError' }],
    ['killed-during-write', 'PUT', { error: 'Runtime.ExitError' }],
    ['killed-after-write', 'PUT', { error: 'Runtime.ExitError' }, true],
    ['out-of-memory', 'GET', { error: 'Runtime.OutOfMemory' }],
    ['throttled', 'PUT', { error: 'Lambda.TooManyRequestsException' }],
    ['failing', 'PUT', { error: SERVICE_FAILURE }],
    ['lost-result', 'PUT', { error: 'Lambda.ClientExecutionTimeoutException' }, true],
    ['lost-result', 'THROW', { error: 'Lambda.ClientExecutionTimeoutException' }],
  ];

describe('the fault', () => {
  it.each(EFFECTS)('%s of a %s ends in %j', async (kind, operation, outcome, hasStored = false) => {
    const silenceMs = kind === 'stalled-body' || kind === 'forgotten-connection' ? 300 : 20_000;
    const key = operation === 'PUT' ? kind : 'object';
    expect(await meet(kind, { operation, silenceMs, key })).toMatchObject(outcome);
    const isOfCall = kindsOf('call').includes(kind);
    const place = isOfCall ? functionName() : `${operation} ${cloud.pipeline.bucket}/${key}`;
    const run = expect.stringContaining(':express:') as string;
    // A function that was killed is called again.
    expect(faults[0]).toEqual({ kind, time: expect.any(Number) as number, run, place });
    const left = operation === 'PUT' && (await stored(key).catch((error: unknown) => (error as Error).name));
    if (operation === 'PUT') expect(left).toBe(hasStored ? 'x'.repeat(1000) : 'NoSuchKey');
  });

  it('duplicate-delivery calls the function twice, and returns one of the results', async () => {
    const calls = () => (cloud.logs().get(functionName()) ?? '').match(/^REPORT /gm)?.length ?? 0;
    const before = calls();
    const possible = JSON.stringify([{ stored: true }, { error: 'PreconditionFailed', status: 412 }]);
    const result = await meet('duplicate-delivery', { operation: 'PUT', key: 'twice' });
    expect(possible).toContain(JSON.stringify(result));
    await until('both reports', () => calls() === before + 2);
  });

  it('slow-start delays the start of a sandbox', async () => {
    await cloud.endIdleSandboxes();
    expect(await meet('slow-start', {})).toMatchObject({ bytes: OBJECT.length });
    expect(faults).toMatchObject([{ kind: 'slow-start', place: `start of ${functionName()}` }]);
  });

  it('s3-409 strikes conditional writes only', async () => {
    expect(await meet('s3-409', {})).toMatchObject({ bytes: OBJECT.length });
    expect(faults).toEqual([]);
  });

  it('flipped-bit changes one bit of a response', async () => {
    const { text } = (await meet('flipped-bit', {})) as { readonly text: string };
    const received = Buffer.from(text, 'latin1');
    const changed = [...received].map((byte, at) => byte ^ OBJECT[at]).filter((bits) => bits !== 0);
    expect(received).toHaveLength(OBJECT.length);
    expect(changed).toHaveLength(1);
    expect(Math.log2(changed[0]) % 1).toBe(0);
  });

  it('strikes no request of anybody but functions', async () => {
    cloud.injectFaults({ seed: 1, rates: { 's3-503': 1 } });
    faults.length = 0;
    expect(await stored('object')).toBe(OBJECT.toString());
    expect(faults).toEqual([]);
  });
});
