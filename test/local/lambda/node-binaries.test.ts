import * as fs from 'node:fs';
import * as path from 'node:path';
import { NodeBinaries } from '../../../local/lambda/node-binaries';
import { temporaryFolder } from '../../support/temporary-folder';

const OWN = { version: '20.1.0', path: '/own/node' };

/** A program that says that it is this version of Node.js. */
function fakeNode(file: string, version = '22.9.0', arch: string = process.arch): string {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `#!/bin/sh\necho ${version} ${arch}\n`, { mode: 0o755 });
  return file;
}

function environment(variables: Record<string, string> = {}) {
  const home = temporaryFolder();
  return { home, workingFolder: home, variables: { PATH: path.join(home, 'bin'), ...variables } };
}

function find(major: number, place = environment(), given: Record<string, string> = {}) {
  return new NodeBinaries(given, place, OWN).find(`nodejs${major}.x`);
}

// The programs of this test are shell scripts.
(process.platform === 'win32' ? describe.skip : describe)('a Node.js of a declared version', () => {
  test('is this process if it has that version', async () => {
    expect([await find(20), await find(22)]).toEqual([OWN.path, undefined]);
  });

  test.each([
    'bin/node22',
    'bin/node-22',
    'bin/node',
    '.nvm/versions/node/v22.9.0/bin/node',
    '.local/share/fnm/node-versions/v22.9.0/installation/bin/node',
    'Library/Application Support/fnm/node-versions/v22.9.0/installation/bin/node',
    '.volta/tools/image/node/22.9.0/bin/node',
    '.asdf/installs/nodejs/22.9.0/bin/node',
    '.local/share/mise/installs/node/22.9.0/bin/node',
    'NVM_DIR/versions/node/v22.9.0/bin/node',
    'FNM_DIR/node-versions/v22.9.0/installation/bin/node',
    'VOLTA_HOME/tools/image/node/22.9.0/bin/node',
    'ASDF_DATA_DIR/installs/nodejs/22.9.0/bin/node',
    'MISE_DATA_DIR/installs/node/22.9.0/bin/node',
  ])('is found as %s', async (file) => {
    const variable = /^([A-Z_]+)\//.exec(file)?.[1];
    const folder = temporaryFolder();
    const place = environment(variable === undefined ? {} : { [variable]: path.join(folder, variable) });
    const program = fakeNode(path.join(variable === undefined ? place.home : folder, file));
    expect(await find(22, place)).toBe(program);
  });

  test("is found in npm's package", async () => {
    const place = environment();
    const folder = path.join(place.home, 'node_modules/node');
    const program = fakeNode(path.join(folder, 'bin/node'));
    fs.writeFileSync(path.join(folder, 'package.json'), '{"name":"node","version":"22.9.0"}');
    expect(fs.realpathSync((await find(22, place)) ?? '')).toBe(fs.realpathSync(program));
  });

  test('is the newest release', async () => {
    const place = environment();
    for (const version of ['22.9.0', '22.10.0', '22.1.1']) {
      fakeNode(path.join(place.home, `.nvm/versions/node/v${version}/bin/node`), version);
    }
    expect(await find(22, place)).toContain('v22.10.0');
  });

  test.each([
    ['version', '24.0.0', process.arch],
    ['processor', '22.0.0', 'other'],
  ])('is not a program of another %s', async (_, version, arch) => {
    const place = environment();
    fakeNode(path.join(place.home, 'bin/node22'), version, arch);
    expect(await find(22, place)).toBeUndefined();
  });

  test('is the named one, also instead of this process', async () => {
    const program = fakeNode(path.join(temporaryFolder(), 'mine'), '20.9.0');
    expect(await find(20, environment(), { '20': program })).toBe(program);
    expect(await find(20, environment({ SLICED_INFERENCE_NODE_20: program }))).toBe(program);
  });

  test.each(['/no/such/node', '/bin/false'])('is refused if the named one is %s', async (program) => {
    const must = `must name a Node.js 22 for ${process.arch}, got '${program}'`;
    await expect(find(22, environment(), { '22': program })).rejects.toThrow(`nodeBinaries['22'] ${must}`);
    const place = environment({ SLICED_INFERENCE_NODE_22: program });
    await expect(find(22, place)).rejects.toThrow(`SLICED_INFERENCE_NODE_22 ${must}`);
  });
});
