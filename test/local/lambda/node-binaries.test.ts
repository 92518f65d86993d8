import * as fs from 'node:fs';
import * as path from 'node:path';
import { NodeBinaries } from '../../../local/lambda/node-binaries';
import { temporaryFolder } from '../../support/temporary-folder';

const OWN = { version: '20.1.0', path: '/own/node' };

/** A program that says that it is this version of Node.js. */
function fakeNode(file: string, version: string, arch: string = process.arch): string {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `#!/bin/sh\necho ${version} ${arch}\n`, { mode: 0o755 });
  return file;
}

function environment(variables: Record<string, string> = {}) {
  const home = temporaryFolder();
  return { home, workingFolder: home, variables: { PATH: path.join(home, 'bin'), ...variables } };
}

// The programs of this test are shell scripts.
(process.platform === 'win32' ? describe.skip : describe)('a Node.js of a declared version', () => {
  test('is this process if it has that version', async () => {
    const nodes = new NodeBinaries({}, environment(), OWN);
    expect(await nodes.find('nodejs20.x')).toBe(OWN.path);
    expect(await nodes.find('nodejs22.x')).toBeUndefined();
  });

  test.each([
    ['on PATH', 'bin/node22'],
    ['on PATH with a dash', 'bin/node-22'],
    ['on PATH without a version', 'bin/node'],
    ['of nvm', '.nvm/versions/node/v22.9.0/bin/node'],
    ['of fnm', '.local/share/fnm/node-versions/v22.9.0/installation/bin/node'],
    ['of fnm on macOS', 'Library/Application Support/fnm/node-versions/v22.9.0/installation/bin/node'],
    ['of Volta', '.volta/tools/image/node/22.9.0/bin/node'],
    ['of asdf', '.asdf/installs/nodejs/22.9.0/bin/node'],
    ['of mise', '.local/share/mise/installs/node/22.9.0/bin/node'],
  ])('is found %s', async (_, file) => {
    const place = environment();
    const program = fakeNode(path.join(place.home, file), '22.9.0');
    expect(await new NodeBinaries({}, place, OWN).find('nodejs22.x')).toBe(program);
  });

  test.each([
    ['NVM_DIR', 'versions/node/v22.9.0/bin/node'],
    ['FNM_DIR', 'node-versions/v22.9.0/installation/bin/node'],
    ['VOLTA_HOME', 'tools/image/node/22.9.0/bin/node'],
    ['ASDF_DATA_DIR', 'installs/nodejs/22.9.0/bin/node'],
    ['MISE_DATA_DIR', 'installs/node/22.9.0/bin/node'],
  ])('is found below %s', async (variable, file) => {
    const folder = temporaryFolder();
    const program = fakeNode(path.join(folder, file), '22.9.0');
    expect(await new NodeBinaries({}, environment({ [variable]: folder }), OWN).find('nodejs22.x')).toBe(
      program,
    );
  });

  test("is found in npm's package", async () => {
    const place = environment();
    const folder = path.join(place.home, 'node_modules/node');
    const program = fakeNode(path.join(folder, 'bin/node'), '22.9.0');
    fs.writeFileSync(path.join(folder, 'package.json'), '{"name":"node","version":"22.9.0"}');
    expect(fs.realpathSync((await new NodeBinaries({}, place, OWN).find('nodejs22.x')) ?? '')).toBe(
      fs.realpathSync(program),
    );
  });

  test('is the newest release', async () => {
    const place = environment();
    const folder = path.join(place.home, '.nvm/versions/node');
    for (const version of ['22.9.0', '22.10.0', '22.1.1']) {
      fakeNode(path.join(folder, `v${version}/bin/node`), version);
    }
    expect(await new NodeBinaries({}, place, OWN).find('nodejs22.x')).toContain('v22.10.0');
  });

  test.each([
    ['another version', '22', '24.0.0', process.arch],
    ['another processor', '22', '22.0.0', 'other'],
  ])('is not a program of %s', async (_, name, version, arch) => {
    const place = environment();
    fakeNode(path.join(place.home, `bin/node${name}`), version, arch);
    expect(await new NodeBinaries({}, place, OWN).find('nodejs22.x')).toBeUndefined();
  });

  test('is the named one, also instead of this process', async () => {
    const program = fakeNode(path.join(temporaryFolder(), 'mine'), '20.9.0');
    expect(await new NodeBinaries({ '20': program }, environment(), OWN).find('nodejs20.x')).toBe(program);
    const place = environment({ SLICED_INFERENCE_NODE_20: program });
    expect(await new NodeBinaries({}, place, OWN).find('nodejs20.x')).toBe(program);
  });

  test.each([
    ['is missing', '/no/such/node'],
    ['is no Node.js', '/bin/false'],
  ])('is refused if the named one %s', async (_, program) => {
    await expect(new NodeBinaries({ '22': program }, environment(), OWN).find('nodejs22.x')).rejects.toThrow(
      `nodeBinaries['22'] must name a Node.js 22 for ${process.arch}, got '${program}'`,
    );
    const place = environment({ SLICED_INFERENCE_NODE_22: program });
    await expect(new NodeBinaries({}, place, OWN).find('nodejs22.x')).rejects.toThrow(
      'SLICED_INFERENCE_NODE_22 must name',
    );
  });
});
