/** The search for known vulnerabilities, against a registry that knows some. */
import { execFile } from 'node:child_process';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import * as zlib from 'node:zlib';
import { ROOT } from '../../support/documents';

type Advisories = Readonly<Record<string, readonly object[]>>;

interface Answer {
  readonly code: number;
  readonly output: string;
  /** The packages that npm asked for. */
  readonly asked: readonly string[];
}

async function audit(advisories: Advisories | undefined): Promise<Answer> {
  let asked: string[] = [];
  const registry = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      const isZipped = request.headers['content-encoding'] === 'gzip';
      if (request.method === 'POST')
        asked = Object.keys(JSON.parse(String(isZipped ? zlib.gunzipSync(body) : body)) as object);
      const known = advisories !== undefined && request.url?.endsWith('/advisories/bulk');
      response.writeHead(known ? 200 : 405, { 'content-type': 'application/json' });
      response.end(known ? JSON.stringify(advisories) : '{}');
    });
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  const { port } = registry.address() as AddressInfo;
  try {
    return await new Promise((resolve) => {
      const env = {
        ...process.env,
        npm_config_registry: `http://127.0.0.1:${port}/`,
        npm_config_fetch_retries: '0',
      };
      const script = path.join(ROOT, 'scripts/package/audit.mjs');
      execFile(process.execPath, [script], { cwd: ROOT, env }, (error, stdout, stderr) => {
        resolve({ code: (error?.code as number | undefined) ?? 0, output: `${stdout}${stderr}`, asked });
      });
    });
  } finally {
    registry.close();
  }
}

/** A registry that knows a bad package of this name. */
function advisory(name: string): Advisories {
  const bad = { id: 1, url: 'https://example.com', title: 'Bad', severity: 'high', vulnerable_versions: '*' };
  return { [name]: [bad] };
}

test.each([
  [
    'passes if the registry knows no vulnerability',
    {},
    /^npm audit: no known vulnerability in the \d+ pack/,
    0,
  ],
  [
    'fails for a package inside of a bundle',
    advisory('commander'),
    /^error: commander ships and has a vulnerability of severity high/,
    1,
  ],
  ['ignores a package that only development uses', advisory('prettier'), /no known vulnerability/, 0],
  [
    'is skipped if the registry answers no audits',
    undefined,
    /^skipped: npm must ask the registry .* 405 /,
    0,
  ],
])('the audit %s', async (_, advisories, message, code) => {
  const answer = await audit(advisories);
  expect(answer).toMatchObject({ code, output: expect.stringMatching(message) as string });
  if (advisories !== undefined)
    expect(answer.asked).toEqual(
      expect.arrayContaining(['commander', 'onnxruntime-node', '@aws-sdk/client-s3']),
    );
});
