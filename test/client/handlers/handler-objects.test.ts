/** How many connections to S3 the helpers of functions open. S3 is a server of the test. */
import * as http from 'node:http';
import { S3Client } from '@aws-sdk/client-s3';
import { readOutputs, writeRequest, type ExecutionOutput } from '../../../client';
import { closeServer, listen } from '../../../local/http/loopback-server';
import { output, RESULTS } from '../../support/fake-aws';

const x = { shape: [1], data: Float32Array.of(1) };
const inS3 = JSON.parse(output(false)) as ExecutionOutput;

const sockets = new Set<unknown>();
let puts = 0;
const server = http
  .createServer((request, response) => {
    if (request.method === 'PUT') puts++;
    request.resume().on('end', () => response.end(request.method === 'GET' ? RESULTS : undefined));
  })
  .on('connection', (socket) => sockets.add(socket));

// A pause of a busy machine must not end the connection.
server.keepAliveTimeout = 0;

const before = { ...process.env };
let endpoint: string;
beforeAll(async () => {
  endpoint = `http://127.0.0.1:${await listen(server, 0)}`;
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
    SLICED_INFERENCE_BUCKET: 'the-bucket',
  });
});
beforeEach(() => {
  sockets.clear();
  puts = 0;
});
afterAll(async () => {
  process.env = before;
  server.closeAllConnections();
  await closeServer(server);
});

test('calls one after the other share a connection, whatever their time limits are', async () => {
  for (let call = 1; call <= 20; call++) {
    await writeRequest({ x }, { inputs: 's3', requestTimeout: 10_000 + call });
    const { y } = await readOutputs(inS3);
    expect(y.data).toEqual(Float32Array.of(2));
  }
  expect(puts).toBe(20);
  expect(sockets.size).toBe(1);
});

test('a function that names another region gets a client of its own', async () => {
  process.env.AWS_REGION = 'eu-west-2';
  await writeRequest({ x }, { inputs: 's3' });
  await writeRequest({ x }, { inputs: 's3' });
  expect([puts, sockets.size]).toEqual([2, 1]);
});

test("the function's own client is used as it is, and stays open", async () => {
  const s3 = new S3Client({ endpoint, forcePathStyle: true, maxAttempts: 1 });
  await writeRequest({ x }, { inputs: 's3', s3 });
  await writeRequest({ x }, { inputs: 's3', s3 });
  expect([puts, sockets.size]).toEqual([2, 1]);
  s3.destroy();
});
