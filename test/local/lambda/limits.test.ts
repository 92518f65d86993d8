/** Each limit of Lambda and Step Functions ends an execution of a synthesized pipeline with the error of AWS. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { LocalCloud, type LocalCloudOptions } from '../../../local';
import { limitedAssembly } from '../../support/limited-function';
import { useFolder } from '../../support/pipeline-app';
import { temporaryFolder } from '../../support/temporary-folder';
import { until } from '../../support/until';

const root = temporaryFolder();
useFolder(root);

const clouds: LocalCloud[] = [];
afterAll(() => Promise.all(clouds.map((cloud) => cloud.close())));

/** @param properties of the function in the template */
async function start(
  properties: Readonly<Record<string, unknown>> = {},
  options: LocalCloudOptions = {},
): Promise<LocalCloud> {
  const cloud = await LocalCloud.start(limitedAssembly(properties), options);
  clouds.push(cloud);
  return cloud;
}

describe('a payload of 256 KiB', () => {
  const LIMIT = 262_144;
  let limited: LocalCloud;
  beforeAll(async () => {
    limited = await start();
  });

  /** Bytes of the task's payload beside the text in the request. */
  async function overhead(): Promise<number> {
    const { executionArn } = await limited.execute({ ignore: '' });
    return JSON.stringify({ request: { ignore: '' }, run: executionArn }).length;
  }

  test('reaches a function, and one byte more fails', async () => {
    const text = 'x'.repeat(LIMIT - (await overhead()));
    expect(await limited.execute({ ignore: text })).toMatchObject({ output: 'ignored' });
    expect(await limited.execute({ ignore: `${text}x` })).toMatchObject({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
    });
  });

  test('may be the result of a function, and one byte more fails', async () => {
    const around = JSON.stringify({ ExecutedVersion: '1', Payload: '', StatusCode: 200 }).length - 2;
    const result = await limited.execute({ respond: LIMIT - around });
    expect(result).toMatchObject({ status: 'SUCCEEDED' });
    expect(await limited.execute({ respond: LIMIT - around + 1 })).toMatchObject({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
      cause:
        "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes service limit.",
    });
  });
});

describe('concurrency', () => {
  const throttled =
    /^Rate Exceeded\. \(Service: AWSLambda; Status Code: 429; Error Code: TooManyRequestsException; Request ID: [0-9a-f-]{36}\)$/;

  test.each<[string, Record<string, unknown>, number | undefined]>([
    ['that a function has reserved', { ReservedConcurrentExecutions: 1 }, undefined],
    ['of the account', {}, 1],
  ])('%s limits its calls', async (_, properties, concurrency) => {
    const limited = await start(properties, { concurrency });
    const folder = fs.mkdtempSync(path.join(root, 'meeting-'));
    const first = limited.execute({ meet: folder });
    await until('the call', () => fs.existsSync(path.join(folder, 'arrived')));
    expect(await limited.execute({ ignore: 1 })).toMatchObject({
      status: 'FAILED',
      error: 'Lambda.TooManyRequestsException',
      cause: expect.stringMatching(throttled) as string,
    });
    fs.writeFileSync(path.join(folder, 'go'), '');
    expect(await first).toMatchObject({ status: 'SUCCEEDED' });
    expect(await limited.execute({ ignore: 1 })).toMatchObject({ status: 'SUCCEEDED' });
  });

  test('cannot be reserved if too little is left', async () => {
    await expect(start({ ReservedConcurrentExecutions: 901 })).rejects.toThrow(
      "decreases account's UnreservedConcurrentExecution below its minimum value of [100]",
    );
    await expect(start({ ReservedConcurrentExecutions: 1 }, { concurrency: 10 })).rejects.toThrow(
      'below its minimum value of [10]',
    );
  });
});

describe('a function is not created', () => {
  const UNABLE =
    'InvalidParameterValueException: Lambda was unable to configure your environment variables because the environment variables you have provided';

  /** Variables whose JSON has this size. */
  function variables(bytes: number): object {
    return { LARGE: 'x'.repeat(bytes - '{"LARGE":""}'.length) };
  }

  test('with an environment of more than 4 KB', async () => {
    await expect(start({ 'Environment.Variables': variables(4096) })).resolves.toBeDefined();
    await expect(start({ 'Environment.Variables': variables(4097) })).rejects.toThrow(
      `${UNABLE} exceeded the 4KB limit. String measured: {"LARGE":"xxx`,
    );
  });

  test('with a variable that Lambda sets', async () => {
    await expect(start({ 'Environment.Variables': { AWS_REGION: 'x', TZ: 'Asia/Tokyo' } })).rejects.toThrow(
      `${UNABLE} contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION: rename`,
    );
  });

  test.each([
    ['an invalid name of a variable', { 'Environment.Variables': { 'a-b': '1' } }, "'environment.variables'"],
    ['too little memory', { MemorySize: 127 }, "Value '127' at 'memorySize'"],
    ['too much memory', { MemorySize: 10_241 }, 'less than or equal to 10240'],
    ['a small /tmp', { EphemeralStorage: { Size: 511 } }, "Value '511' at 'ephemeralStorage.size'"],
    ['a long timeout', { Timeout: 901 }, "Value '901' at 'timeout'"],
    ['layers', { Layers: ['arn:aws:lambda:us-east-1:000000000000:layer:x:1'] }, 'the property Layers'],
  ])('with %s', async (_, properties, message) => {
    await expect(start(properties)).rejects.toThrow(message);
  });
});
