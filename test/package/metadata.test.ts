/** What package.json, the version and the scripts must agree with. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { README, ROOT, documentNamed } from '../support/documents';

function json(file: string): unknown {
  return JSON.parse(fs.readFileSync(path.join(ROOT, file), 'utf8'));
}

type Names = Readonly<Record<string, string>>;

const manifest = json('package.json') as {
  readonly version: string;
  readonly dependencies: Names;
  readonly peerDependencies: Names;
  readonly devDependencies: Names;
  readonly bundledDependencies: readonly string[];
};

describe('package.json', () => {
  test('has CDK as its only peers, from the oldest release that the tests install', () => {
    const oldest = json('test/other-versions/package.json') as { readonly dependencies: Names };
    expect(Object.keys(manifest.peerDependencies).sort()).toEqual(['aws-cdk-lib', 'constructs']);
    for (const [name, range] of Object.entries(manifest.peerDependencies))
      expect(oldest.dependencies[`${name}-oldest`]).toBe(range.replace('^', `npm:${name}@`));
    expect(Object.keys(manifest.devDependencies)).toEqual(
      expect.arrayContaining(Object.keys(manifest.peerDependencies)),
    );
  });

  test('bundles exactly its dependencies, so that none is downloaded', () => {
    expect([...manifest.bundledDependencies].sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });
});

describe('the version', () => {
  const changelog = documentNamed('CHANGELOG.md').text;
  const [, heading, date] = /^## (?!Unreleased$)(\S+)(?: - (\S+))?$/m.exec(changelog) ?? [];

  test('is the latest heading of the changelog, with its date', () => {
    expect(heading).toBe(manifest.version);
    expect(date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });

  test('is that of the lock file', () => {
    const { version, packages } = json('package-lock.json') as {
      version: string;
      packages: Record<string, { version: string }>;
    };
    expect([version, packages[''].version]).toEqual([manifest.version, manifest.version]);
  });

  test('is the only one that the README names', () => {
    const named = README.text.match(/(?<=version |cdk-sliced-inference-)\d+\.\d+\.\d+/g) ?? [];
    expect([...new Set(named)]).toEqual([manifest.version]);
  });
});

test('scripts import only modules that exist, which no compiler checks', () => {
  const folders = ['bench', 'scripts', 'test'].map((folder) => path.join(ROOT, folder));
  const scripts = folders.flatMap((folder) =>
    fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name)),
  );
  const imports = scripts
    .filter((script) => script.endsWith('.mjs') && !script.includes('node_modules'))
    .flatMap((script) => {
      const modules = fs.readFileSync(script, 'utf8').matchAll(/(?:from |import\()'(\.[^']+)'/g);
      return [...modules].map(([, module]) => path.join(path.dirname(script), module));
    });
  expect(imports.length).toBeGreaterThan(20);
  expect(
    imports.filter((module) => !module.includes(`${path.sep}dist${path.sep}`) && !fs.existsSync(module)),
  ).toEqual([]);
});
