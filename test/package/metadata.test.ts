/**
 * What registries show of the package.
 *
 * Construct Hub lists npm packages that have a permissive license, a keyword that it knows, and a jsii assembly:
 * https://aws.amazon.com/blogs/opensource/best-practices-for-discoverability-of-a-construct-library-on-construct-hub/
 *
 * The construct analyzer scores what a package and its repository show. These tests check the signals that do not
 * depend on time or users, which are documentation and tests: https://github.com/cdklabs/cdk-construct-analyzer#quality
 *
 * `npm run docs` fails for a public name without a docstring.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { README, ROOT, documentNamed } from '../support/documents';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly stability: string;
  readonly publishConfig: { readonly registry: string };
  readonly homepage: string;
  readonly author: { readonly name: string };
  readonly repository: { readonly type: string; readonly url: string };
  readonly bugs: { readonly url: string };
  readonly keywords: readonly string[];
  readonly files: readonly string[];
  readonly jsii: { readonly targets: Readonly<Record<string, unknown>> };
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly bundledDependencies: readonly string[];
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

function json(file: string): unknown {
  return JSON.parse(fs.readFileSync(path.join(ROOT, file), 'utf8'));
}

const manifest = json('package.json') as Manifest;

describe('package.json', () => {
  test('names author, repository, homepage and issues', () => {
    const address = 'https://github.com/cdk-sliced-inference/cdk-sliced-inference';
    expect(manifest.author.name).not.toBe('');
    expect(manifest.repository).toEqual({ type: 'git', url: `${address}.git` });
    expect(manifest.homepage).toBe(`${address}#readme`);
    expect(manifest.bugs.url).toBe(`${address}/issues`);
  });

  test('has the license of the LICENSE file', () => {
    expect(manifest.license).toBe('Apache-2.0');
    const text = fs.readFileSync(path.join(ROOT, 'LICENSE'), 'utf8');
    expect(text).toMatch(/^\s*Apache License\s+Version 2\.0/);
  });

  test('has the keywords that Construct Hub looks for', () => {
    expect(manifest.keywords).toEqual(expect.arrayContaining(['awscdk', 'aws-cdk', 'cdk']));
  });

  test('names a registry that cannot exist, so that nobody publishes the sources by accident', () => {
    expect(manifest.publishConfig.registry).toMatch(/^https:\/\/[a-z-]+\.invalid\/$/);
  });

  test('has a stability that jsii knows', () => {
    expect(['experimental', 'stable']).toContain(manifest.stability);
  });

  test('has the four languages of jsii', () => {
    expect(Object.keys(manifest.jsii.targets).sort()).toEqual(['dotnet', 'go', 'java', 'python']);
  });

  test('ships the assembly of jsii, the guides, the changelog and the licenses of others', () => {
    const shipped = ['.jsii', 'docs', 'CHANGELOG.md', 'NOTICE'];
    expect(manifest.files).toEqual(expect.arrayContaining(shipped));
  });

  test('has CDK as its only peers, from the oldest release that the tests install', () => {
    const oldest = json('test/other-versions/package.json') as Pick<Manifest, 'dependencies'>;
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

  // npm runs these after it has downloaded a package, or a repository that another project depends on.
  test.each(['preinstall', 'install', 'postinstall', 'prepare', 'prepublish', 'prepack'])(
    'has no script %s',
    (script) => {
      expect(manifest.scripts).not.toHaveProperty(script);
    },
  );
});

describe('the version', () => {
  const changelog = documentNamed('CHANGELOG.md').text;
  const [, heading, date] = /^## (?!Unreleased$)(\S+)(?: - (\S+))?$/m.exec(changelog) ?? [];

  test('is the latest heading of the changelog, with its date', () => {
    expect(heading).toBe(manifest.version);
    expect(date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });

  test('is that of the lock file', () => {
    const lock = json('package-lock.json') as {
      readonly version: string;
      readonly packages: Readonly<Record<string, Pick<Manifest, 'version'>>>;
    };
    expect([lock.version, lock.packages[''].version]).toEqual([manifest.version, manifest.version]);
  });

  test('is the only one that the README names', () => {
    const named = README.text.match(/(?<=version |cdk-sliced-inference-)\d+\.\d+\.\d+/g) ?? [];
    expect([...new Set(named)]).toEqual([manifest.version]);
  });
});

describe('the repository', () => {
  test('has a README with several examples, and sections to install, to use and to try', () => {
    expect((README.text.match(/^```/gm) ?? []).length / 2).toBeGreaterThan(1);
    const anchors = ['when-to-use-it', 'try-it', 'install', 'a-stack', 'guarantees-and-limits', 'guides'];
    expect([...README.anchors]).toEqual(expect.arrayContaining(anchors));
  });

  test.each(['docs', 'test'])('has the folder %s at its top', (folder) => {
    expect(fs.statSync(path.join(ROOT, folder)).isDirectory()).toBe(true);
  });
});
