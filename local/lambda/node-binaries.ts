/** Finds the Node.js that a function declares. A version that is not on this machine is replaced by this process's own. */
import { execFile } from 'node:child_process';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { LocalCloudError } from '../local-cloud-error';

const EXE = process.platform === 'win32' ? '.exe' : '';

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
    private readonly variables: Readonly<Record<string, string | undefined>> = process.env,
    private readonly own = { version: process.versions.node, path: process.execPath },
  ) {}

  find(runtime: string): Promise<string | undefined> {
    const major = declaredMajor(runtime);
    const found = this.found.get(major) ?? this.search(major);
    this.found.set(major, found);
    return found;
  }

  private async search(major: string): Promise<string | undefined> {
    const named = this.given[major] ?? this.variables[nodeVariable(major)] ?? '';
    if (named !== '') {
      if (await isNode(named, major)) return named;
      throw new LocalCloudError(
        `nodeBinaries['${major}'] or ${nodeVariable(major)} must name a Node.js ${major} for ${process.arch}, got '${named}': ` +
          'correct it or leave it out',
      );
    }
    if (this.own.version.startsWith(`${major}.`)) return this.own.path;
    const folders = (this.variables.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
    const names = [`node${major}`, `node-${major}`, 'node'];
    for (const candidate of folders.flatMap((folder) => names.map((name) => path.join(folder, name + EXE)))) {
      if (await isNode(candidate, major)) return candidate;
    }
    return undefined;
  }
}

async function isNode(program: string, major: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)(
      program,
      ['-p', 'process.versions.node + " " + process.arch'],
      // Options of this process are not meant for other programs.
      { env: { PATH: process.env.PATH }, timeout: 60_000 },
    );
    const [version, arch] = stdout.trim().split(' ');
    return version.startsWith(`${major}.`) && arch === process.arch;
  } catch {
    // It is no program, or no Node.js.
    return false;
  }
}
