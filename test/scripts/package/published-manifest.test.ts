/** The package.json that npm publishes. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../support/documents';

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
