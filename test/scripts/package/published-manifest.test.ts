/** The package.json that npm publishes. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../support/documents';
import { temporaryFolder } from '../../support/temporary-folder';

interface Manifest {
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}

function published(): Manifest {
  const module = pathToFileURL(path.join(ROOT, 'scripts/package/stage.mjs')).href;
  const code = `
    import fs from 'node:fs';
    import { publishedManifest } from ${JSON.stringify(module)};
    console.log(JSON.stringify(publishedManifest(JSON.parse(fs.readFileSync('package.json', 'utf8')))));`;
  const args = ['--input-type=module', '--eval', code];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' })) as Manifest;
}

const SDK = ['@aws-sdk/client-s3', '@aws-sdk/client-sfn'];

test('has nothing that is for development', () => {
  const fields = Object.keys(published());
  expect(fields).toEqual(expect.arrayContaining(['name', 'exports', 'jsii', 'bundledDependencies']));
  expect(fields.filter((field) => ['private', 'scripts', 'devDependencies'].includes(field))).toEqual([]);
});

test('has the packages of the AWS SDK that the client imports as optional peers', () => {
  const { peerDependencies, peerDependenciesMeta } = published();
  // jsii's tools would look for the jsii assemblies of other peers.
  expect(Object.keys(peerDependencies).sort()).toEqual(['aws-cdk-lib', 'constructs']);
  expect(peerDependenciesMeta).toEqual(Object.fromEntries(SDK.map((name) => [name, { optional: true }])));
  const source = fs.readFileSync(path.join(ROOT, 'client/aws/sdk.ts'), 'utf8');
  const imported = [...source.matchAll(/await import\('(@aws-sdk\/[\w-]+)'\)/g)].map(([, name]) => name);
  expect(imported.sort()).toEqual(SDK);
});

/** npm answers from the folder alone, so nothing is fetched. */
function npmList(versions: Readonly<Record<string, string>>): { readonly problems?: readonly string[] } {
  const folder = temporaryFolder();
  const { peerDependencies, peerDependenciesMeta } = published();
  const add = (name: string, manifest: object) => {
    const at = path.join(folder, 'node_modules', name);
    fs.mkdirSync(at, { recursive: true });
    fs.writeFileSync(path.join(at, 'package.json'), JSON.stringify({ name, ...manifest }));
  };
  add('aws-cdk-lib', { version: '2.276.0' });
  add('constructs', { version: '10.8.1' });
  add('cdk-sliced-inference', { version: '0.2.0', peerDependencies, peerDependenciesMeta });
  for (const [name, version] of Object.entries(versions)) add(name, { version });
  const names = ['aws-cdk-lib', 'constructs', 'cdk-sliced-inference', ...Object.keys(versions)];
  const dependencies = Object.fromEntries(names.map((name) => [name, '*']));
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ dependencies }));
  try {
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    return JSON.parse(
      execFileSync(npm, ['ls', '--json', '--all'], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }),
    ) as object;
  } catch (error) {
    // npm exits with 1 if there are problems, and prints them all the same.
    return JSON.parse((error as { stdout: string }).stdout) as object;
  }
}

test.each([
  ['without the AWS SDK', {}],
  ['with one of another version', { '@aws-sdk/client-s3': '3.350.0', '@aws-sdk/client-sfn': '4.0.0' }],
])('lets npm see no problem in an application %s', (_, versions) => {
  expect(npmList(versions).problems).toBeUndefined();
});
