/** Creates functions from a few lines of code, and runs them in real workers. */
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { strToU8, zipSync } from 'fflate';
import type { FunctionResource } from '../../local/cloudformation/resources';
import { CodeFolders } from '../../local/lambda/code';
import { Concurrency } from '../../local/lambda/concurrency';
import { type FunctionHost, FunctionPool } from '../../local/lambda/function-pool';
import { Notices } from '../../local/notices';
import { DiskObjectStore } from '../../local/s3/store';
import { temporaryFolder } from './temporary-folder';

export function functionFixture() {
  const folder = temporaryFolder();
  const store = new DiskObjectStore(path.join(folder, 's3'));
  store.createBucket('code');
  const host = {
    code: new CodeFolders(store, path.join(folder, 'code')),
    folder: path.join(folder, 'workers'),
    region: 'eu-west-1',
    admit: () => ({ environment: { AWS_ACCESS_KEY_ID: 'the-id' }, end: () => undefined }),
    concurrency: new Concurrency(),
    notices: new Notices(),
  };
  const pools: FunctionPool[] = [];
  afterAll(() => Promise.all(pools.map((pool) => pool.close())));

  /** Creates a function with this `index.js`. It is closed after the test file. */
  const create = async (
    source: string,
    more: Partial<FunctionResource> = {},
    ownHost: Partial<FunctionHost> = {},
  ): Promise<FunctionPool> => {
    const logicalId = `F${pools.length}`;
    const key = `${logicalId}.zip`;
    await store.put('code', key, Readable.from([zipSync({ 'index.js': strToU8(source) })]));
    const resource: FunctionResource = {
      logicalId,
      name: `stack-${logicalId}`,
      arn: `arn:aws:lambda:eu-west-1:000000000000:function:stack-${logicalId}`,
      roleArn: `arn:aws:iam::000000000000:role/stack-${logicalId}-role`,
      logGroup: `/aws/lambda/stack-${logicalId}`,
      createsLogGroup: true,
      code: { bucket: 'code', key },
      handler: 'index.handler',
      runtime: 'nodejs22.x',
      architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
      timeoutSeconds: 30,
      memoryMegabytes: 256,
      ephemeralStorageMegabytes: 512,
      environment: {},
      reservedConcurrency: undefined,
      isProvisioned: false,
      ...more,
    };
    const pool = new FunctionPool(resource, '1', { ...host, ...ownHost });
    pools.push(pool);
    return pool;
  };
  return { folder, create };
}

/** Calls a function, and returns its response. */
export async function call<T = Record<string, unknown>>(pool: FunctionPool, event: unknown = {}): Promise<T> {
  return JSON.parse((await pool.invoke(JSON.stringify(event))).payload) as T;
}
