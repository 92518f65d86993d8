/** Finds the Node.js that a function declares. A version that is not on this machine is replaced by this process's own. */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { LocalCloudError } from '../local-cloud-error';

/** Paths of Node.js binaries by major version, such as `{ '22': '/opt/node-22/bin/node' }`. */
export type NodeBinaryPaths = Readonly<Partial<Record<string, string>>>;

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

/** The major version that a runtime such as `nodejs22.x` declares. */
export function declaredMajor(runtime: string): string {
  return /^nodejs(\d+)\.x$/.exec(runtime)?.[1] ?? '';
}

export class NodeBinaries {
  private readonly found = new Map<string, Promise<string | undefined>>();

  constructor(
    private readonly given: NodeBinaryPaths = {},
    private readonly environment = THIS_ENVIRONMENT,
    private readonly own = { version: process.versions.node, path: process.execPath },
  ) {}

  /**
   * @returns the path of a Node.js with the runtime's major version, or `undefined` if there is none
   * @throws LocalCloudError when an option or a variable names a binary that is not one of this version
   */
  find(runtime: string): Promise<string | undefined> {
    const major = declaredMajor(runtime);
    let found = this.found.get(major);
    if (found === undefined) {
      found = this.search(major);
      this.found.set(major, found);
    }
    return found;
  }

  private async search(major: string): Promise<string | undefined> {
    const named = this.named(major);
    if (named !== undefined) {
      if (await isNode(named.path, major)) return named.path;
      throw new LocalCloudError(
        `${named.by} must name a Node.js ${major} for ${process.arch}, got '${named.path}': correct it or leave it out`,
      );
    }
    if (majorOf(this.own.version) === major) return this.own.path;
    for (const candidate of candidates(major, this.environment)) {
      if (isOther(candidate, this.own.path) && (await isNode(candidate, major))) return candidate;
    }
    return undefined;
  }

  private named(major: string): { readonly by: string; readonly path: string } | undefined {
    const option = this.given[major];
    if (option !== undefined) return { by: `nodeBinaries['${major}']`, path: option };
    const variable = nodeVariable(major);
    const value = this.environment.variables[variable];
    return value === undefined || value === '' ? undefined : { by: variable, path: value };
  }
}

/** The environment variable that names the binary of a major version. */
export function nodeVariable(major: string): string {
  return `SLICED_INFERENCE_NODE_${major}`;
}

/** Where version managers and packages put a Node.js, the newest release first. */
function candidates(major: string, { variables, home, workingFolder }: Environment): string[] {
  const inHome = (...parts: string[]): string => path.join(home, ...parts);
  const managers: readonly (readonly [folder: string, prefix: string, below: string])[] = [
    [path.join(variables.NVM_DIR ?? inHome('.nvm'), 'versions/node'), 'v', BINARY],
    ...[
      variables.FNM_DIR,
      inHome('.local/share/fnm'),
      inHome('.fnm'),
      inHome('Library/Application Support/fnm'),
    ].flatMap((folder) =>
      folder === undefined
        ? []
        : [[path.join(folder, 'node-versions'), 'v', path.join('installation', BINARY)] as const],
    ),
    [path.join(variables.VOLTA_HOME ?? inHome('.volta'), 'tools/image/node'), '', BINARY],
    [path.join(variables.ASDF_DATA_DIR ?? inHome('.asdf'), 'installs/nodejs'), '', BINARY],
    [path.join(variables.MISE_DATA_DIR ?? inHome('.local/share/mise'), 'installs/node'), '', BINARY],
  ];
  const onPath = (variables.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return [
    ...onPath.flatMap((folder) =>
      [`node${major}`, `node-${major}`, 'node'].map((n) => path.join(folder, n + EXE)),
    ),
    ...managers.flatMap(([folder, prefix, below]) =>
      releases(folder, `${prefix}${major}.`).map((release) => path.join(folder, release, below)),
    ),
    ...['/opt/homebrew', '/usr/local'].map((prefix) => path.join(prefix, 'opt', `node@${major}`, BINARY)),
    ...fromPackage(workingFolder),
  ];
}

const EXE = process.platform === 'win32' ? '.exe' : '';
const BINARY = path.join(process.platform === 'win32' ? '' : 'bin', `node${EXE}`);

/** Whether the program exists and is not this process's own, whose version is known. */
function isOther(candidate: string, own: string): boolean {
  return fs.existsSync(candidate) && fs.realpathSync(candidate) !== own;
}

function releases(folder: string, prefix: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .filter((name) => name.startsWith(prefix))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
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

const run = promisify(execFile);

/** Programs that have been asked for their version, for all local clouds of this process. */
const identities = new Map<string, Promise<{ readonly major: string; readonly arch: string } | undefined>>();

async function isNode(program: string, major: string): Promise<boolean> {
  let identity = identities.get(program);
  if (identity === undefined) {
    identity = identify(program);
    identities.set(program, identity);
  }
  const known = await identity;
  return known?.major === major && known.arch === process.arch;
}

async function identify(program: string) {
  try {
    const { stdout } = await run(program, ['-p', 'process.versions.node + " " + process.arch'], {
      // Options of this process are not meant for other programs.
      env: { PATH: process.env.PATH },
      timeout: 60_000,
    });
    const [version = '', arch = ''] = stdout.trim().split(' ');
    return { major: majorOf(version), arch };
  } catch {
    // It is no program, or no Node.js.
    return undefined;
  }
}

function majorOf(version: string): string {
  return version.split('.')[0] ?? '';
}
