/** Virtual environments of Python with what an optional check needs. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './documents';
import { PYTHON } from './python';

const INSTALL_MS = 300_000;

const PIP = '-m pip install --quiet --disable-pip-version-check --retries 1 --only-binary=:all:'.split(' ');

export interface Requirements {
  /** A file in pip's format. */
  readonly file: string;
  /** Further options of pip. */
  readonly options?: readonly string[];
}

const run = promisify(execFile);

/**
 * Returns the path of a Python with the requirements, which later checks find again, or says why the check is skipped.
 *
 * @param name of the environment's folder in `dist`, which other requirements and another Python change
 */
export async function pythonWith(name: string, lists: readonly Requirements[]): Promise<string | undefined> {
  const options = { timeout: INSTALL_MS };
  try {
    const check = 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10); print(sys.version)';
    const digest = createHash('sha256').update((await run(PYTHON, ['-c', check], options)).stdout);
    for (const { file } of lists) digest.update(fs.readFileSync(file));
    const folder = path.join(ROOT, 'dist', `${name}-${digest.digest('hex').slice(0, 16)}`);
    const [python, complete] = [path.join(folder, 'bin/python'), path.join(folder, 'complete')];
    if (fs.existsSync(complete)) return python;
    await run(PYTHON, ['-m', 'venv', '--clear', folder], options);
    for (const { file, options: own = [] } of lists)
      await run(python, [...PIP, ...own, '--requirement', file], options);
    fs.writeFileSync(complete, '');
    return python;
  } catch (error) {
    console.info(
      `skipped: the check needs ${PYTHON} 3.10 or newer with venv, and pip's package index: set PYTHON to another Python`,
      error,
    );
    return undefined;
  }
}
