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

function advisory(name: string): Advisories {
  return {
    [name]: [{ id: 1, url: 'https://example.com', title: 'Bad', severity: 'high', vulnerable_versions: '*' }],
  };
}

describe('scripts/package/audit.mjs', () => {
  test('reports no vulnerability if the registry knows none', async () => {
    const { code, output, asked } = await audit({});
    expect(output).toMatch(/^npm audit: no known vulnerability in the \d+ packages that ship\n$/);
    expect(asked).toEqual(expect.arrayContaining(['commander', 'onnxruntime-node', '@aws-sdk/client-s3']));
    expect(code).toBe(0);
  });

  test('fails for a package inside of a bundle', async () => {
    const { code, output } = await audit(advisory('commander'));
    expect(output).toContain(
      'error: commander ships and has a vulnerability of severity high: update or remove it',
    );
    expect(code).toBe(1);
  });

  test('ignores a package that only development uses', async () => {
    const { code, output } = await audit(advisory('prettier'));
    expect(output).toContain('no known vulnerability');
    expect(code).toBe(0);
  });

  test('says that it was skipped if the registry answers no audits', async () => {
    const { code, output } = await audit(undefined);
    expect(output).toMatch(/^skipped: npm must ask the registry for vulnerabilities, got 405 /);
    expect(code).toBe(0);
  });
});
