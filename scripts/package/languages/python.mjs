// What the Python package needs: a Python with venv, pip's package index, and files that are the same in each build.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { IS_WINDOWS } from '../project.mjs';
import { buildPythonClient } from './python-client.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));

export const PYTHON = IS_WINDOWS ? 'python' : 'python3';

/** jsii's runtime needs it: the wheel says so. */
const MINIMUM = [3, 10];

/** A package of a few KB that jsii's packages need anyway. */
const SMALL_PACKAGE = 'publication';

/** Returns why a Python package can neither be built nor installed here, or undefined. */
export function pythonProblem() {
  const version = run(['-c', 'import sys; print(*sys.version_info[:2])']);
  const isNew = version !== undefined && compare(version.trim().split(' ').map(Number), MINIMUM) >= 0;
  if (!isNew || run(['-c', 'import venv, ensurepip']) === undefined)
    return `the Python package needs ${PYTHON} ${MINIMUM.join('.')} or newer with venv`;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'package-index-'));
  try {
    const download = ['download', '--no-deps', '--no-cache-dir', '--retries', '1', '--dest', folder];
    if (run(['-m', 'pip', ...download, SMALL_PACKAGE]) === undefined)
      return "the Python package needs pip's package index, which does not answer";
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return undefined;
}

/** Environment variables that give each build the same versions of the build tools, which packages record. */
export function pythonVariables() {
  return {
    PIP_CONSTRAINT: path.join(here, 'python-constraints.txt'),
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
  };
}

/** Builds the client beside the construct's packages, and rewrites their source distribution: setuptools records when and by whom files were made. */
export function finishPythonPackages(folder, time) {
  buildPythonClient(PYTHON, folder, { ...pythonVariables(), SOURCE_DATE_EPOCH: time });
  for (const name of fs.readdirSync(folder).filter((file) => file.endsWith('.tar.gz'))) {
    const script = path.join(here, 'normalize_sdist.py');
    const { status, stderr } = spawnSync(PYTHON, [script, path.join(folder, name), time], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr.trim());
  }
}

function run(args) {
  const { status, stdout } = spawnSync(PYTHON, args, { encoding: 'utf8' });
  return status === 0 ? stdout : undefined;
}

function compare([major, minor], [otherMajor, otherMinor]) {
  return major - otherMajor || minor - otherMinor;
}
