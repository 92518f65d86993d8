/** A Python environment with MiniStack and the packages of the Python client, which later checks find again. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { cacheRoot } from '../../lib/cache/folder';
import { Program } from './processes';
import { SOURCES } from './repository';

/** Names the folder of the environment. */
const FOLDER_VARIABLE = 'SLICED_INFERENCE_MINISTACK';

/** Of MiniStack. */
const OLDEST = [3, 10];

const INSTALL_SECONDS = 300;

const LISTS = [
  ['--no-deps', '--require-hashes', '--requirement', path.join(SOURCES, 'ministack.txt')],
  ['--requirement', path.join(SOURCES, 'requirements.txt')],
];

/** Why the check cannot run on this machine. */
export class Missing extends Error {}

/**
 * Returns the path of the environment's Python.
 * @throws Missing if there is no Python, or if pip's package index does not answer
 */
export async function pythonWithMiniStack(): Promise<string> {
  const base = process.env.PYTHON ?? 'python3';
  const version = versionOf(base);
  const folder = process.env[FOLDER_VARIABLE] ?? path.join(cacheRoot() ?? os.tmpdir(), nameFor(version));
  const python = path.join(folder, 'bin/python');
  const complete = path.join(folder, 'complete');
  if (fs.existsSync(complete)) return python;
  const run = async (program: string, args: readonly string[]): Promise<void> => {
    await new Program(program, args, { env: process.env }).succeeds(INSTALL_SECONDS);
  };
  try {
    await run(base, ['-m', 'venv', '--clear', folder]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1'];
    for (const list of LISTS) await run(python, [...pip, '--only-binary=:all:', ...list]);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n').at(-1) : String(error);
    throw new Missing(`it needs ${base} with venv, and pip's package index (${reason ?? ''})`);
  }
  fs.writeFileSync(complete, '');
  return python;
}

function versionOf(python: string): string {
  const { stdout } = spawnSync(python, ['-c', 'import sys; print(*sys.version_info[:2], sep=".")'], {
    encoding: 'utf8',
  });
  const [major = 0, minor = 0] = ((stdout as string | null) ?? '').trim().split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return `${major}.${minor}`;
  throw new Missing(
    `it needs Python ${OLDEST.join('.')} or newer, got none as ${python}: set PYTHON to one, with venv and pip`,
  );
}

/** Other packages get another folder. */
function nameFor(version: string): string {
  const lists = LISTS.map((list) => fs.readFileSync(list.at(-1) ?? ''));
  const digest = createHash('sha256').update(Buffer.concat(lists)).digest('hex').slice(0, 12);
  return `ministack-${version}-${digest}`;
}
