/** A Python environment with MiniStack and the packages of the Python client, which later checks find again. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { cacheRoot } from '../../lib/cache/folder';
import { run, SOURCES } from './processes';

/** Names the folder of the environment. */
const FOLDER_VARIABLE = 'SLICED_INFERENCE_MINISTACK';

const INSTALL_SECONDS = 300;
const [MINISTACK, OTHERS] = ['ministack.txt', 'requirements.txt'].map((name) => path.join(SOURCES, name));
const PIP = '-m pip install --quiet --disable-pip-version-check --retries 1 --only-binary=:all:'.split(' ');
const CHECK = 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10); print(sys.version)';

/** Why the check cannot run on this machine. */
export class Missing extends Error {}

/**
 * Returns the path of the environment's Python.
 * @throws Missing if there is no Python, or if pip's package index does not answer
 */
export async function pythonWithMiniStack(): Promise<string> {
  const base = process.env.PYTHON ?? 'python3';
  const options = { env: process.env, seconds: INSTALL_SECONDS };
  try {
    const version = await run(base, ['-c', CHECK], options);
    const digest = createHash('sha256').update(version);
    for (const list of [MINISTACK, OTHERS]) digest.update(fs.readFileSync(list));
    const name = `ministack-${digest.digest('hex').slice(0, 16)}`;
    const folder = process.env[FOLDER_VARIABLE] ?? ownFolder(name);
    const [python, complete] = [path.join(folder, 'bin/python'), path.join(folder, 'complete')];
    if (fs.existsSync(complete)) return python;
    await run(base, ['-m', 'venv', '--clear', folder], options);
    await run(python, [...PIP, '--no-deps', '--require-hashes', '--requirement', MINISTACK], options);
    await run(python, [...PIP, '--requirement', OTHERS], options);
    fs.writeFileSync(complete, '');
    return python;
  } catch (error) {
    const reason = (error as Error).message.trim().split('\n').at(-1);
    throw new Missing(
      `it needs ${base} 3.10 or newer with venv, and pip's package index, got ${reason}: set PYTHON to another Python`,
    );
  }
}

/** In the cache, unless another user could have put programs there. */
function ownFolder(name: string): string {
  const root = cacheRoot();
  const cached = root === undefined ? undefined : path.join(root, name);
  const owner = cached && fs.statSync(cached, { throwIfNoEntry: false })?.uid;
  if (cached !== undefined && (owner === undefined || owner === process.getuid?.())) return cached;
  return fs.mkdtempSync(path.join(os.tmpdir(), `${name}-`));
}
