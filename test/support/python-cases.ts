/** Test cases in Python, beside a test file: each method of a class is shown as a test. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ROOT } from './documents';
import { runPython } from './python';

export const EXAMPLE = path.join(ROOT, 'examples/python');

const FOLDER = path.join(ROOT, 'test/examples/python');

/** By test case: `null`, or what went wrong. */
export type Results = Readonly<Record<string, string | null>>;

/** Runs the test cases of a class. */
export async function resultsOf(
  module: string,
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Results> {
  const output = await runPython([path.join(FOLDER, 'run_cases.py'), module, name], {
    env: { ...env, PYTHONPATH: EXAMPLE },
  });
  return JSON.parse(output) as Results;
}

/** The names of the classes with test cases. */
export function classesOf(module: string): string[] {
  return [...sourceOf(module).matchAll(/^class (\w+)\(Case\):$/gm)].map(([, name]) => name);
}

/** The test cases of a class: how they read, and their names. */
export function casesOf(module: string, name: string): [title: string, name: string][] {
  const [, body] = sourceOf(module).split(new RegExp(`^class ${name}\\(.*\\):$`, 'm'));
  return [...body.split(/^class /m)[0].matchAll(/^ {4}def test_(\w+)/gm)].map(([, found]) => [
    found.replaceAll('_', ' '),
    `test_${found}`,
  ]);
}

function sourceOf(module: string): string {
  return fs.readFileSync(path.join(FOLDER, `${module}.py`), 'utf8');
}
