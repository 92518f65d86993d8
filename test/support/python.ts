/** The Python of the machine, for tests of what runs in Python: the program in `PYTHON`, or `python3`. */
import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import { ROOT } from './documents';

export const PYTHON = process.env.PYTHON ?? (process.platform === 'win32' ? 'python' : 'python3');

/** The folder of the Python client, and what it needs. */
export const PYTHON_CLIENT = path.join(ROOT, 'client/python');
export const PYTHON_CLIENT_PACKAGES = ['boto3', 'numpy', 'safetensors'];

/**
 * Whether Python has these packages. If not, it says that the tests are skipped, and why.
 *
 * @throws Error instead, if `PYTHON_PACKAGES` is `required`
 */
export function hasPackages(...packages: readonly string[]): boolean {
  const { status } = spawnSync(PYTHON, ['-c', `import ${packages.join(', ')}`]);
  if (status === 0) return true;
  if (process.env.PYTHON_PACKAGES === 'required')
    throw new Error(`${PYTHON} must have ${packages.join(', ')}, got a Python without: install them`);
  console.info(`skipped: ${PYTHON} needs ${packages.join(', ')}; PYTHON may name another Python`);
  return false;
}

/** Runs Python beside this process, which may serve what Python calls, and returns its output. Throws if Python fails. */
export async function runPython(
  args: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env'> = {},
): Promise<string> {
  const child = spawn(PYTHON, args, {
    cwd: options.cwd,
    env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  if (code !== 0) throw new Error(`Python ended with ${code}: ${stdout}${stderr}`);
  return stdout;
}
