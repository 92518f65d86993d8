import * as fs from 'node:fs';
import * as path from 'node:path';
import { NodeBinaries } from '../../../local/lambda/node-binaries';
import { temporaryFolder } from '../../support/temporary-folder';

const OWN = { version: '20.1.0', path: '/own/node' };

/** A program that says that it is this version of Node.js. */
function fakeNode(name: string, version = '22.9.0', arch: string = process.arch): string {
  const file = path.join(temporaryFolder(), name);
  fs.writeFileSync(file, `#!/bin/sh\necho ${version} ${arch}\n`, { mode: 0o755 });
  return file;
}

function find(major: number, variables: Record<string, string> = {}, given: Record<string, string> = {}) {
  return new NodeBinaries(given, variables, OWN).find(`nodejs${major}.x`);
}

// The programs of this test are shell scripts.
(process.platform === 'win32' ? describe.skip : describe)('a Node.js of a declared version', () => {
  test('is this process if it has that version', async () => {
    expect([await find(20), await find(22)]).toEqual([OWN.path, undefined]);
  });

  test.each(['node22', 'node-22', 'node'])('is found in the PATH as %s', async (name) => {
    const program = fakeNode(name);
    expect(await find(22, { PATH: `/none:${path.dirname(program)}` })).toBe(program);
  });

  test.each([
    ['version', '24.0.0', process.arch],
    ['processor', '22.0.0', 'other'],
  ])('is not a program of another %s', async (_, version, arch) => {
    expect(await find(22, { PATH: path.dirname(fakeNode('node22', version, arch)) })).toBeUndefined();
  });

  test('is the named one, also instead of this process', async () => {
    const program = fakeNode('mine', '20.9.0');
    expect(await find(20, {}, { '20': program })).toBe(program);
    expect(await find(20, { SLICED_INFERENCE_NODE_20: program })).toBe(program);
  });

  test.each(['/no/such/node', '/bin/false'])('is refused if the named one is %s', async (program) => {
    const message = `SLICED_INFERENCE_NODE_22 must name a Node.js 22 for ${process.arch}, got '${program}'`;
    await expect(find(22, {}, { '22': program })).rejects.toThrow(message);
    await expect(find(22, { SLICED_INFERENCE_NODE_22: program })).rejects.toThrow(message);
  });
});
