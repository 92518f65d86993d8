/** The commands of docs/operations.md that delete old versions of functions, run by the AWS CLI. */
import { spawn } from 'node:child_process';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import { AWS_CLI } from '../support/aws-cli';
import { documentNamed } from '../support/documents';
import { temporaryFolder } from '../support/model-builder';

const functionArn = (name: string): string => `arn:aws:lambda:us-east-1:111122223333:function:${name}`;
const MACHINE = 'arn:aws:states:us-east-1:111122223333:stateMachine:Ocr';

/** By function: its versions, and what the state machine calls. */
const FUNCTIONS = {
  'ocr-slice-00': { versions: ['$LATEST', '1', '2', '3'], called: '3', isSlice: true },
  'ocr-slice-01': { versions: ['$LATEST', '1', '12'], called: '12', isSlice: true },
  'ocr-slice-02': { versions: ['$LATEST', '1', '2'], called: 'live', isSlice: true },
  before: { versions: ['$LATEST', '1', '2'], called: '2', isSlice: false },
};

function listedVersions(name: keyof typeof FUNCTIONS): object {
  const { versions, isSlice } = FUNCTIONS[name];
  const Variables = isSlice ? { SLICE_DEPLOYMENT_DIGEST: 'digest' } : { OTHER: 'value' };
  return {
    Versions: versions.map((Version) => ({
      FunctionArn: `${functionArn(name)}:${Version}`,
      Environment: { Variables },
    })),
  };
}

/** Answers Step Functions and Lambda, and notes what is deleted. */
function answer({ method, url = '' }: http.IncomingMessage, deleted: string[]): object {
  if (method === 'POST') {
    const states = Object.entries(FUNCTIONS).map(([name, { called }]): [string, object] => [
      name,
      { Type: 'Task', Arguments: { FunctionName: `${functionArn(name)}:${called}` } },
    ]);
    return { stateMachineArn: MACHINE, definition: JSON.stringify({ States: Object.fromEntries(states) }) };
  }
  const { pathname, searchParams } = new URL(url, 'http://lambda');
  const name = String(/function:([\w-]+)/.exec(decodeURIComponent(pathname))?.[1]) as keyof typeof FUNCTIONS;
  if (pathname.endsWith('/aliases')) {
    const isCalled = FUNCTIONS[name].called === 'live';
    return { Aliases: isCalled ? [{ Name: 'live', FunctionVersion: '2' }] : [] };
  }
  if (method === 'GET') return listedVersions(name);
  deleted.push(`${name}:${searchParams.get('Qualifier')}`);
  return {};
}

(AWS_CLI === undefined ? test.skip : test)(
  'the commands delete the versions of slices that nothing calls, and nothing else',
  async () => {
    const [folder, deleted]: [string, string[]] = [temporaryFolder(), []];
    const server = http.createServer((request, response) => {
      request.resume().once('end', () => response.end(JSON.stringify(answer(request, deleted))));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const scripts = documentNamed('docs/operations.md')
      .codeBlocks('sh')
      .filter(({ file }) => file?.endsWith('versions.sh'));
    expect(scripts).toHaveLength(2);
    for (const { code } of scripts) {
      const child = spawn('sh', ['-c', code, 'sh', MACHINE], {
        cwd: folder,
        env: {
          PATH: `${path.dirname(AWS_CLI ?? '')}:${process.env.PATH}`,
          AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
          AWS_DEFAULT_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: 'id',
          AWS_SECRET_ACCESS_KEY: 'secret',
          AWS_CONFIG_FILE: '/dev/null',
        },
      });
      expect(await text(child.stderr)).toBe('');
    }
    server.close();
    expect(deleted).toEqual(['ocr-slice-00:1', 'ocr-slice-00:2', 'ocr-slice-01:1', 'ocr-slice-02:1']);
  },
);
