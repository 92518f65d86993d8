/** What a frozen function's idle connections to S3 come to, seen by the function's next call. */
import { LocalCloud, type LocalCloudOptions } from '../../../local';
import { PipelineStack, synthesize, useFolder } from '../../support/pipeline-app';
import { temporaryFolder } from '../../support/temporary-folder';

useFolder(temporaryFolder());

const clouds: LocalCloud[] = [];
afterAll(() => Promise.all(clouds.map((cloud) => cloud.close())));

/** Answers how a request over the connection of the call before went. */
const HANDLER = `
const http = require('node:http');
const { AWS_ENDPOINT_URL_S3: endpoint, AWS_ACCESS_KEY_ID: id, BUCKET: bucket } = process.env;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const headers = { Authorization: 'AWS4-HMAC-SHA256 Credential=' + id + '/x' };
exports.handler = ({ request: { silenceMs } }) => new Promise((resolve) => {
  const request = http.request(endpoint + '/' + bucket + '/object', { agent, headers }, (response) => {
    response.resume().on('end', () => resolve(request.reusedSocket ? 'reused' : 'new connection'));
  });
  request.on('error', ({ code }) => resolve(code === 'ECONNRESET' ? 'reset' : code));
  if (silenceMs > 0) setTimeout(() => { resolve('no answer'); request.destroy(); }, silenceMs);
  request.end();
});`;

async function start(options: LocalCloudOptions = {}): Promise<LocalCloud> {
  const assembly = synthesize((app) => new PipelineStack(app, 'Idle', { source: HANDLER }));
  const cloud = await LocalCloud.start(assembly, options);
  clouds.push(cloud);
  await cloud.putObject('object', Buffer.from('x'));
  return cloud;
}

async function call(cloud: LocalCloud, silenceMs = 0): Promise<unknown> {
  const result = await cloud.execute({ silenceMs });
  if (result.status !== 'SUCCEEDED') throw new Error(result.cause);
  return result.output;
}

describe('the idle connection of a function that stands still', () => {
  test('stays by default', async () => {
    const cloud = await start();
    expect([await call(cloud), await call(cloud)]).toEqual(['new connection', 'reused']);
  });

  test('is closed on request', async () => {
    const cloud = await start({ idleConnections: 'close' });
    expect(await call(cloud)).toBe('new connection');
    // The function may notice before or after it uses the connection.
    expect(['reset', 'new connection']).toContain(await call(cloud));
  });

  test('is forgotten on request: nothing answers, and a new connection works', async () => {
    const cloud = await start({ idleConnections: 'forget' });
    expect(await call(cloud)).toBe('new connection');
    expect(await call(cloud, 200)).toBe('no answer');
    expect(await call(cloud)).toBe('new connection');
  });
});
