/** Finds the Node.js that a function declares. A version that is not on this machine is replaced by this process's own. */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { LocalCloudError } from '../local-cloud-error';

interface Environment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly workingFolder: string;
}

const THIS_ENVIRONMENT: Environment = {
  variables: process.env,
  home: os.homedir(),
  workingFolder: process.cwd(),
};

const EXE = process.platform === 'win32' ? '.exe' : '';
const BINARY = path.join(process.platform === 'win32' ? '' : 'bin', `node${EXE}`);

/** Where version managers put their releases: below a variable's folder or one of those in the home. The star is the version. */
const MANAGERS: readonly (readonly [variable: string, inHome: readonly string[], release: string])[] = [
  ['NVM_DIR', ['.nvm'], 'versions/node/v*'],
  [
    'FNM_DIR',
    ['.local/share/fnm', '.fnm', 'Library/Application Support/fnm'],
    'node-versions/v*/installation',
  ],
  ['VOLTA_HOME', ['.volta'], 'tools/image/node/*'],
  ['ASDF_DATA_DIR', ['.asdf'], 'installs/nodejs/*'],
  ['MISE_DATA_DIR', ['.local/share/mise'], 'installs/node/*'],
];

export function declaredMajor(runtime: string): string {
  return /^nodejs(\d+)\.x$/.exec(runtime)?.[1] ?? '';
}

export function nodeVariable(major: string): string {
  return `SLICED_INFERENCE_NODE_${major}`;
}

export class NodeBinaries {
  private readonly found = new Map<string, Promise<string | undefined>>();

  /** @param given paths of binaries by major version, such as `{ '22': '/opt/node-22/bin/node' }` */
  constructor(
    private readonly given: Readonly<Partial<Record<string, string>>> = {},
    private readonly environment = THIS_ENVIRONMENT,
    private readonly own = { version: process.versions.node, path: process.execPath },
  ) {}

  find(runtime: string): Promise<string | undefined> {
    const major = declaredMajor(runtime);
    const found = this.found.get(major) ?? this.search(major);
    this.found.set(major, found);
    return found;
  }

  private async search(major: string): Promise<string | undefined> {
    const variable = nodeVariable(major);
    for (const [by, named] of [
      [`nodeBinaries['${major}']`, this.given[major]],
      [variable, this.environment.variables[variable]],
    ]) {
      if (named === undefined || named === '') continue;
      if (await isNode(named, major)) return named;
      throw new LocalCloudError(
        `${by} must name a Node.js ${major} for ${process.arch}, got '${named}': correct it or leave it out`,
      );
    }
    if (this.own.version.startsWith(`${major}.`)) return this.own.path;
    for (const candidate of candidates(major, this.environment)) {
      // The version of this process's own is known.
      const isOther = fs.existsSync(candidate) && fs.realpathSync(candidate) !== this.own.path;
      if (isOther && (await isNode(candidate, major))) return candidate;
    }
    return undefined;
  }
}

/** Where version managers and packages put a Node.js, the newest release first. */
function candidates(major: string, { variables, home, workingFolder }: Environment): string[] {
  const onPath = (variables.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const names = [`node${major}`, `node-${major}`, 'node'];
  return [
    ...onPath.flatMap((folder) => names.map((name) => path.join(folder, name + EXE))),
    ...MANAGERS.flatMap(([variable, inHome, release]) =>
      [variables[variable] ?? [], inHome.map((folder) => path.join(home, folder))]
        .flat()
        .flatMap((folder) => releases(path.join(folder, release), major)),
    ),
    ...['/opt/homebrew', '/usr/local'].map((prefix) => path.join(prefix, 'opt', `node@${major}`, BINARY)),
    ...fromPackage(workingFolder),
  ];
}

function releases(pattern: string, major: string): string[] {
  const [start, end] = pattern.split('*');
  const folder = path.dirname(`${start}x`);
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .filter((name) => path.join(folder, name).startsWith(`${start}${major}.`))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((name) => path.join(folder, name, end, BINARY));
}

/** npm's package `node` holds a binary. */
function fromPackage(workingFolder: string): string[] {
  try {
    const manifest = createRequire(path.join(workingFolder, 'x.js')).resolve('node/package.json');
    return [path.join(path.dirname(manifest), 'bin', `node${EXE}`)];
  } catch {
    // The package is not installed.
    return [];
  }
}

async function isNode(program: string, major: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)(
      program,
      ['-p', 'process.versions.node + " " + process.arch'],
      {
        // Options of this process are not meant for other programs.
        env: { PATH: process.env.PATH },
        timeout: 60_000,
      },
    );
    const [version, arch] = stdout.trim().split(' ');
    return version.startsWith(`${major}.`) && arch === process.arch;
  } catch {
    // It is no program, or no Node.js.
    return false;
  }
}
