/** What a frozen function's idle connections to S3 come to, seen by the function's next call. */
import { LocalCloud, type LocalCloudOptions } from '../../../local';
import { PipelineStack, synthesize, useFolder } from '../../support/pipeline-app';
import { temporaryFolder } from '../../support/temporary-folder';

useFolder(temporaryFolder());

const clouds: LocalCloud[] = [];
afterAll(() => Promise.all(clouds.map((cloud) => cloud.close())));

/** Answers how a signed request over the connection of the call before went. */
const HANDLER = `
const { createHash, createHmac } = require('node:crypto');
const https = require('node:https');
const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

function signed(url) {
  const env = process.env;
  const time = new Date().toISOString().replace(/[-:]|\\.\\d+/g, '');
  const headers = {
    host: url.host,
    'x-amz-content-sha256': sha256(''),
    'x-amz-date': time,
    'x-amz-security-token': env.AWS_SESSION_TOKEN,
  };
  const names = Object.keys(headers);
  const lines = names.map((name) => name + ':' + headers[name]);
  const canonical = ['GET', url.pathname, '', ...lines, '', names.join(';'), sha256('')].join('\\n');
  const scope = time.slice(0, 8) + '/' + env.AWS_REGION + '/s3/aws4_request';
  const key = scope.split('/').reduce(hmac, 'AWS4' + env.AWS_SECRET_ACCESS_KEY);
  const signature = hmac(key, ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\\n')).toString('hex');
  const credential = env.AWS_ACCESS_KEY_ID + '/' + scope;
  headers.authorization =
    'AWS4-HMAC-SHA256 Credential=' + credential + ', SignedHeaders=' + names.join(';') + ', Signature=' + signature;
  return headers;
}

exports.handler = ({ request: { silenceMs } }) => new Promise((resolve) => {
  const url = new URL(process.env.AWS_ENDPOINT_URL_S3 + '/' + process.env.BUCKET + '/object');
  const request = https.request(url, { agent, headers: signed(url) }, (response) => {
    const how = request.reusedSocket ? 'reused' : 'new connection';
    response.resume().on('end', () => resolve(response.statusCode === 200 ? how : response.statusCode));
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
