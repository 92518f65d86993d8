/** Asks the tools that Python has about ONNX files: the ONNX checker and OpenVINO. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('read_models.py', import.meta.url));
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** The program that runs Python scripts. */
export const PYTHON = process.env.PYTHON ?? (process.platform === 'win32' ? 'python' : 'python3');

/**
 * Returns the versions of the tools by name, and for each path the errors by tool. An accepted file has the error `null`.
 *
 * There are no versions if Python or its tools are missing.
 *
 * @throws Error if Python fails
 */
export function askTools(paths) {
  let versions = {};
  const verdicts = [];
  do {
    const { lines, failure, isMissing } = runPython(paths.slice(verdicts.length));
    if (lines.length === 0) {
      if (isMissing) break;
      throw new Error(`${PYTHON} must run ${SCRIPT}, got ${failure}`);
    }
    versions = lines[0];
    if (Object.keys(versions).length === 0) break;
    verdicts.push(...lines.slice(1));
    // A tool crashed: the next Python continues after the file that it read.
    if (verdicts.length < paths.length)
      verdicts.push(Object.fromEntries(Object.keys(versions).map((tool) => [tool, `crash: ${failure}`])));
  } while (verdicts.length < paths.length);
  return { versions, verdicts };
}

function runPython(paths) {
  const { error, status, signal, stdout, stderr } = spawnSync(PYTHON, [SCRIPT], {
    input: paths.map((path) => `${JSON.stringify(path)}\n`).join(''),
    encoding: 'utf8',
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  const lines = (stdout ?? '').split('\n').filter((line) => line.startsWith('{'));
  const failure = error?.message ?? `status ${status ?? signal}: ${(stderr ?? '').trim().split('\n').at(-1)}`;
  return { lines: lines.map((line) => JSON.parse(line)), failure, isMissing: error?.code === 'ENOENT' };
}
