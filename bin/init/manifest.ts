/** The package.json of an app: a new file, or the existing one with the scripts and packages that it lacks. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { isRecord, parsedRecord } from '../../lambda/json-values';
import { quoted, SlicedInferenceError } from '../../lib/errors';
import { packageRoot, packageVersion } from '../../lib/host/packages';
import { readText } from '../../lib/host/read-text';

const LIBRARY = 'cdk-sliced-inference';

/** Names the app's own configuration, because another one may be beside it. */
export const TEST_COMMAND = 'jest --config jest.config.cjs';

/** Releases that work together. Those that this repository has too are tested with it. */
export const VERSIONS = {
  dependencies: { 'aws-cdk-lib': '^2.276.0', constructs: '^10.8.1' },
  devDependencies: {
    '@swc/core': '^1.16.22',
    '@swc/jest': '^0.2.39',
    '@types/jest': '^30.0.0',
    '@types/node': '^20.19.43',
    'aws-cdk': '^2.1148.1',
    jest: '^30.5.2',
    tsx: '^4.23.15',
    typescript: '^6.0.3',
  },
} as const;

/** Far above any package.json. */
const MAX_BYTES = 2 ** 20;

/** Parts of a package.json, by name. */
type Sections = Readonly<Partial<Record<string, Readonly<Record<string, string>>>>>;

/** Names the script among what was added. */
export const TEST_SCRIPT = 'script test';

export interface Manifest {
  readonly text: string;
  /** What an existing file lacked, such as `jest`; `undefined` for a new file. */
  readonly added?: readonly string[];
  /** Whether the app installs the library from a file. */
  readonly hasTarball: boolean;
}

/**
 * @param folder of the app
 * @returns a manifest with all that is in the one that exists
 * @throws SlicedInferenceError for a file that is not a package.json of CommonJS
 */
export function appManifest(folder: string): Manifest {
  const file = path.join(folder, 'package.json');
  const isThere = fs.existsSync(file);
  const text = isThere ? readText(file, 'file', MAX_BYTES, 'move it') : '{ "private": true }';
  const existing = parse(file, text);
  const known = { ...existing.dependencies, ...existing.devDependencies };
  const library = libraryVersion(folder);
  const wanted: Sections = {
    scripts: { test: TEST_COMMAND },
    dependencies: { ...VERSIONS.dependencies, [LIBRARY]: library },
    devDependencies: VERSIONS.devDependencies,
  };
  const manifest: Record<string, unknown> = { ...existing };
  const added: string[] = [];
  for (const [name, entries] of Object.entries(wanted)) {
    const own = existing[name] ?? {};
    const inTheWay = name === 'scripts' ? own : known;
    const missing = Object.entries(entries ?? {}).filter(([entry]) => !Object.hasOwn(inTheWay, entry));
    added.push(...missing.map(([entry]) => (name === 'scripts' ? `script ${entry}` : entry)));
    if (missing.length > 0) manifest[name] = { ...own, ...Object.fromEntries(missing) };
  }
  const indent = /^[\t ]+(?=")/m.exec(text)?.[0] ?? 2;
  const hasTarball = (known[LIBRARY] ?? library).startsWith('file:');
  const lines = `${JSON.stringify(manifest, undefined, indent)}\n`;
  return {
    text: text.includes('\r\n') ? lines.replaceAll('\n', '\r\n') : lines,
    ...{ hasTarball, ...(isThere && { added }) },
  };
}

function parse(file: string, text: string): Sections {
  const manifest = parsedRecord(text);
  if (manifest === undefined) throw refused(file, 'text that is not a JSON object', 'correct it');
  if (manifest.type === 'module')
    throw refused(file, '"type": "module", with which Jest does not load the app');
  for (const name of ['scripts', 'dependencies', 'devDependencies'])
    if (!hasTexts(manifest[name] ?? {})) throw refused(file, `${name} of another kind`);
  return manifest as Sections;
}

function hasTexts(value: unknown): boolean {
  return isRecord(value) && Object.values(value).every((text) => typeof text === 'string');
}

function refused(file: string, got: string, advice = 'choose a folder without it'): SlicedInferenceError {
  return new SlicedInferenceError(`file ${quoted(file)} must be a package.json of CommonJS`, got, advice);
}

/** What this command was installed from: a tarball, or a release. @param root the package's own folder */
export function libraryVersion(folder: string, root = packageRoot()): string {
  const release = `^${packageVersion()}`;
  const modules = path.dirname(root);
  const lock = path.join(modules, '.package-lock.json');
  if (path.basename(modules) !== 'node_modules' || !fs.existsSync(lock)) return release;
  const { packages = {} } = JSON.parse(fs.readFileSync(lock, 'utf8')) as {
    readonly packages?: Readonly<Partial<Record<string, { readonly resolved?: string }>>>;
  };
  const tarball = /^file:(.+)$/.exec(packages[`node_modules/${LIBRARY}`]?.resolved ?? '');
  if (tarball === null) return release;
  const relative = path.relative(folder, path.resolve(path.dirname(modules), tarball[1]));
  return `file:${relative.replaceAll(path.sep, '/')}`;
}
