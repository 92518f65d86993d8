/** Each limit of Lambda and Step Functions ends an execution of a synthesized pipeline with the error of AWS. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { LocalCloudOptions } from '../../../local';
import { limitedAssembly } from '../../support/limited-function';
import { start as startCloud } from '../../support/pipeline-app';
import { temporaryFolder } from '../../support/temporary-folder';
import { until } from '../../support/until';

const root = temporaryFolder();

/** @param properties of the function in the template */
const start = (properties: Readonly<Record<string, unknown>> = {}, options?: LocalCloudOptions) =>
  startCloud(limitedAssembly(properties), options);

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

  test.each([0, 1.5])('of the account cannot be %s', async (concurrency) => {
    await expect(start({}, { concurrency })).rejects.toThrow(
      `must be a positive integer, got ${concurrency}`,
    );
  });
});

test.each([
  [
    'a large environment',
    { 'Environment.Variables': { A: 'x'.repeat(4089) } },
    'at most 4096 bytes, got 4097',
  ],
  ['a variable of Lambda', { 'Environment.Variables': { TZ: 'x', AWS_REGION: 'x' } }, 'got AWS_REGION'],
  ['too much memory', { MemorySize: 10_241 }, 'must be an integer of 128 to 10240, got 10241: change it'],
  ['a small /tmp', { EphemeralStorage: { Size: 511 } }, 'the ephemeral storage size of the function'],
  ['a long timeout', { Timeout: 901 }, 'the timeout of the function'],
])('a function is not created with %s', async (_, properties, message) => {
  await expect(start(properties)).rejects.toThrow(message);
});

test.each([
  ['ten times its timeout', {}, 600_000],
  ['twice its timeout, if the option says so,', { timeouts: 2 }, 120_000],
])('a function may take %s because this machine may be slow', async (_, options, most) => {
  const cloud = await start({ Timeout: 60 }, options);
  const { output } = (await cloud.execute({ remaining: 1 })) as { output: unknown };
  const milliseconds = Number(/"milliseconds":(\d+)/.exec(JSON.stringify(output))?.[1]);
  expect(milliseconds).toBeLessThanOrEqual(most);
  expect(milliseconds).toBeGreaterThan(most / 2);
});
