/** Measures the first requests of calls whose connections were lost, with and without connections that are prepared. */
import { execFileSync, fork } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { encodeTensors } from '../../client';
import { ENV } from '../../contract/environment';
import { readPlan } from '../../lib/compile/plan-file';
import { Callers } from '../../local/s3/callers';
import { S3Server } from '../../local/s3/server';
import { DiskObjectStore } from '../../local/s3/store';
import { makeServerCertificate } from '../../local/tls/certificate';
import { formatSpread, spread } from '../measure';
import { chainOf, writeEmbedded } from '../slice/models';
import { formatTable } from '../table';
import { activations } from './activations';
import { VARIANTS, type BenchCall, type ConnectionsJob, type ConnectionTimes } from './connections-child';
import { SlowConnections } from './slow-connections';

const PIPELINE = 'pipeline';
const RUNS = 'runs';
const DIGEST = '0'.repeat(64);
const REQUEST = 'inputs/x.safetensors';

/**
 * From Lambda, the first GET of a call takes 41 ms longer than others at the median, and the first PUT 45 ms (skyrise,
 * `storage_latency/s3`, 2024).
 */
const SET_UP_MS = 40;

export async function benchConnections(folder: string, rounds: number): Promise<string> {
  fs.mkdirSync(folder);
  const { width } = chainOf(16);
  const store = new DiskObjectStore(path.join(folder, 's3'));
  for (const bucket of [PIPELINE, RUNS]) {
    store.createBucket(bucket);
    await store.put(bucket, 'first', Readable.from([Buffer.alloc(1)]));
  }
  const slices = await stageSlices(folder, store);
  const inputs = new Map([['x', { ...activations(width), shape: [1, width] }]]);
  await store.put(PIPELINE, REQUEST, Readable.from([encodeTensors(inputs)]));
  const certificate = makeServerCertificate();
  const authority = path.join(folder, 'authority.pem');
  fs.writeFileSync(authority, certificate.authority);
  const callers = new Callers();
  const server = await S3Server.start(store, callers, { certificate });
  const proxies = await Promise.all(
    [PIPELINE, RUNS].map(() => SlowConnections.start(server.endpoint, SET_UP_MS)),
  );
  const { accessKeyId, secretAccessKey } = callers.add();
  try {
    const endpoints = { [PIPELINE]: proxies[0].endpoint, [RUNS]: proxies[1].endpoint };
    const job: ConnectionsJob = { endpoints, slices, calls: callsOf(width), rounds, folder };
    const times = await inChild(job, proxies, {
      PATH: process.env.PATH,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      NODE_EXTRA_CA_CERTS: authority,
    });
    return tableOf(times);
  } finally {
    for (const proxy of proxies) await proxy.close();
    await server.close();
  }
}

function callsOf(width: number): BenchCall[] {
  const common = { version: 1, deploymentDigest: DIGEST };
  const stored = { ...common, request: { version: 1, inputs: { s3: REQUEST }, output: { inline: 'never' } } };
  const data = Array.from({ length: width }, (_, index) => index / width);
  const tensors = { x: { dtype: 'float32', shape: [1, width], data } };
  const inline = { ...common, request: { version: 1, inputs: { tensors }, output: { inline: 'never' } } };
  return [
    { name: 'reads one bucket, writes another', slice: 0, event: stored },
    { name: 'the last slice, the same', slice: 1, event: stored },
    { name: 'reads nothing, as the request is in the event', slice: 0, event: inline },
  ];
}

/** Puts the files of two slices into the bucket, and returns the environment variables of their functions. */
async function stageSlices(folder: string, store: DiskObjectStore): Promise<Record<string, string>[]> {
  const model = path.join(folder, 'model.onnx');
  const out = path.join(folder, 'slices');
  writeEmbedded(model, chainOf(16));
  const cli = path.join(__dirname, '../../bin/program.js');
  execFileSync(process.execPath, [cli, 'slice', model, '--slices', '2', '--out', out], {
    env: { ...process.env, SLICED_INFERENCE_CACHE: path.join(folder, 'cache') },
    stdio: 'ignore',
  });
  const all: Record<string, string>[] = [];
  for (const [slice, files] of readPlan(path.join(out, 'plan.json')).slices.entries()) {
    const variables: Record<string, string> = {
      [ENV.slice]: String(slice),
      [ENV.bucket]: PIPELINE,
      [ENV.runsBucket]: RUNS,
      [ENV.deploymentDigest]: DIGEST,
      [ENV.threads]: '1',
      [ENV.modelUri]: `s3://${PIPELINE}/${files.model.file}`,
      [ENV.modelSha256]: files.model.sha256,
    };
    if (files.weights !== undefined) {
      variables[ENV.weightsUri] = `s3://${PIPELINE}/${files.weights.file}`;
      variables[ENV.weightsSha256] = files.weights.sha256;
      variables[ENV.weightsFile] = files.weights.file;
    }
    for (const file of [files.model, files.weights]) {
      if (file) await store.put(PIPELINE, file.file, fs.createReadStream(path.join(out, file.file)));
    }
    all.push(variables);
  }
  return all;
}

function inChild(
  job: ConnectionsJob,
  proxies: readonly SlowConnections[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<ConnectionTimes> {
  const child = fork(path.join(__dirname, 'connections-child.js'), [JSON.stringify(job)], {
    env,
    execArgv: ['--no-warnings'],
  });
  return new Promise((resolve, reject) => {
    child.on('message', (message: 'sleep' | ConnectionTimes) => {
      if (message !== 'sleep') {
        resolve(message);
        return;
      }
      for (const proxy of proxies) proxy.lose();
      child.send('awake');
    });
    child.on('exit', (code) => {
      reject(new Error(`the child must report its times, got exit code ${code}`));
    });
  });
}

function tableOf(times: ConnectionTimes): string {
  const rows = Object.entries(times).map(([name, ofCall]) => [
    name,
    ...VARIANTS.map((variant) => formatSpread(spread(ofCall[variant]), 1)),
    formatSpread(spread(ofCall.prepared.map((ms, round) => ms / ofCall['as needed'][round])), 2),
  ]);
  const title = `warm calls without ONNX Runtime's run, TLS, all connections lost, ${SET_UP_MS} ms to connect`;
  return formatTable([title, 'opened as needed, ms', 'prepared, ms', 'ratio'], rows);
}
