/**
 * S3 endpoints that the tests of S3's semantics run against: the local S3 over HTTP and TLS, and versitygw, an S3 server by
 * others, if `VERSITYGW` names its program (`go install github.com/versity/versitygw/cmd/versitygw@latest`).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as https from 'node:https';
import * as net from 'node:net';
import * as path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { CreateBucketCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { Callers, type Credentials } from '../../local/s3/callers';
import { S3Server } from '../../local/s3/server';
import { DiskObjectStore } from '../../local/s3/store';
import { makeServerCertificate } from '../../local/tls/certificate';
import { temporaryFolder } from './temporary-folder';

export const BUCKET = 'the-bucket';

export interface S3Endpoint {
  readonly endpoint: string;
  readonly credentials: Credentials;
  readonly ca?: string;
  readonly stop: () => Promise<void>;
}

export interface EndpointKind {
  readonly name: 'the local S3' | 'the local S3 over TLS' | 'versitygw';
  readonly start: () => Promise<S3Endpoint>;
}

export function endpointKinds(): EndpointKind[] {
  const program = process.env.VERSITYGW;
  if (program === undefined) console.info('versitygw is not tested: set VERSITYGW to its program');
  return [
    { name: 'the local S3', start: () => startLocal(false) },
    { name: 'the local S3 over TLS', start: () => startLocal(true) },
    ...(program === undefined ? [] : [{ name: 'versitygw' as const, start: () => startVersity(program) }]),
  ];
}

/** A client without retries, so that a refusal fails the request immediately. */
export function clientOf({ endpoint, credentials, ca }: S3Endpoint, more: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
    requestHandler: { httpsAgent: new https.Agent({ ca, keepAlive: true }) },
    ...more,
  });
}

async function startLocal(tls: boolean): Promise<S3Endpoint> {
  const store = new DiskObjectStore(path.join(temporaryFolder(), 's3'));
  store.createBucket(BUCKET);
  const callers = new Callers();
  const certificate = tls ? makeServerCertificate() : undefined;
  const server = await S3Server.start(store, callers, { certificate });
  return {
    endpoint: server.endpoint,
    credentials: callers.add(),
    ca: certificate?.authority,
    stop: () => server.close(),
  };
}

async function startVersity(program: string): Promise<S3Endpoint> {
  const folder = path.join(temporaryFolder(), 'versity');
  fs.mkdirSync(folder);
  const port = await freePort();
  const credentials = { accessKeyId: 'versity', secretAccessKey: 'secret' };
  const args = ['--access', credentials.accessKeyId, '--secret', credentials.secretAccessKey];
  const gateway = spawn(program, [...args, '--port', `127.0.0.1:${port}`, '--quiet', 'posix', folder], {
    stdio: 'ignore',
  });
  const endpoint = {
    endpoint: `http://127.0.0.1:${port}`,
    credentials,
    stop: () => end(gateway),
  };
  const client = clientOf(endpoint);
  for (let attempt = 0; ; attempt++) {
    try {
      await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
      client.destroy();
      return endpoint;
    } catch (error) {
      if (attempt === 100 || gateway.exitCode !== null) throw error;
      await setTimeout(50);
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill();
  await exit;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
