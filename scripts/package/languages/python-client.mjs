// Builds the Python client: a wheel and a source distribution, whose bytes are the same in each build.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { IS_WINDOWS, ROOT } from '../project.mjs';

const SOURCES = path.join(ROOT, 'client/python');

/**
 * @param {string} python the program
 * @param {string} outdir
 * @param {Record<string, string>} variables among them the time of all files
 */
export function buildPythonClient(python, outdir, variables) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'python-client-'));
  try {
    const sources = path.join(folder, 'sources');
    fs.cpSync(SOURCES, sources, { recursive: true, filter: (file) => !/__pycache__|_cache$/.test(file) });
    fs.copyFileSync(path.join(ROOT, 'LICENSE'), path.join(sources, 'LICENSE'));
    const venv = path.join(folder, 'venv');
    const program = path.join(venv, IS_WINDOWS ? 'Scripts/python.exe' : 'bin/python');
    run(python, ['-m', 'venv', venv]);
    run(program, ['-m', 'pip', 'install', '--quiet', 'hatchling'], variables);
    run(program, ['-m', 'hatchling', 'build', '--directory', outdir], variables, sources);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function run(program, args, variables = {}, cwd = undefined) {
  const env = { ...process.env, ...variables };
  // Archives record the permissions of files.
  const umask = process.umask(0o022);
  const { status, stderr, error } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  process.umask(umask);
  if (status !== 0) throw new Error(error?.message ?? stderr.trim());
}
