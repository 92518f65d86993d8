// Compiles the examples in docstrings and in the README, and translates them to the other languages.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PYTHON } from './languages/tools.mjs';
import { JSII_VARIABLES, MANIFEST, ROOT } from './project.mjs';

const FIXTURE = fileURLToPath(new URL('examples.ts-fixture', import.meta.url));

/** The translations, in the folder of the package. jsii-pacmak and Construct Hub look for them there. */
const TABLET = '.jsii.tabl.json';

/** Prints a line for each source that Python cannot parse. */
const PYTHON_CHECK = `
import ast, json, sys
for place, source in json.load(sys.stdin):
    try:
        ast.parse(source)
    except SyntaxError as error:
        print(f'the Python of {place} must be valid, got {error}: write the TypeScript in a simpler way')
`;

/**
 * Writes the translations to `<folder>/.jsii.tabl.json`. If this machine has Python, Python parses its translations. Returns what was done.
 *
 * @throws Error with a line for each example that does not compile or that is not valid Python
 */
export function translateExamples(folder) {
  extract(folder);
  const { snippets } = JSON.parse(fs.readFileSync(path.join(folder, TABLET), 'utf8'));
  const sources = Object.values(snippets).map(({ location, translations }) => [
    [location.api.fqn ?? 'README.md', location.api.memberName].filter(Boolean).join('.'),
    translations.python.source,
  ]);
  const { error, status, stdout, stderr } = spawnSync(PYTHON, ['-c', PYTHON_CHECK], {
    encoding: 'utf8',
    input: JSON.stringify(sources),
  });
  if (error?.code === 'ENOENT')
    return `${sources.length} examples compile; skipped parsing their Python: no ${PYTHON}`;
  if (error || status !== 0 || stdout !== '') throw error ?? new Error(`${stdout}${stderr}`.trim());
  return `${sources.length} examples compile, and Python parses their translations`;
}

function extract(folder) {
  const fixtures = path.join(folder, 'rosetta');
  const modules = fs.mkdtempSync(path.join(path.dirname(folder), 'examples-'));
  try {
    fs.mkdirSync(fixtures);
    fs.copyFileSync(FIXTURE, path.join(fixtures, 'default.ts-fixture'));
    // Examples import the package by its name. Without --directory, rosetta runs `npm install` to make that possible.
    fs.mkdirSync(path.join(modules, 'node_modules'));
    fs.symlinkSync(folder, path.join(modules, 'node_modules', MANIFEST.name), 'junction');
    const rosetta = path.join(ROOT, 'node_modules/jsii-rosetta/bin/jsii-rosetta');
    const args = ['extract', '--fail', '--batch', '1000', '--directory', modules, folder];
    const { status, stdout, stderr } = spawnSync(process.execPath, [rosetta, ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...JSII_VARIABLES },
    });
    if (status !== 0) throw new Error(`examples must compile, got:\n${stdout}${stderr}`.trim());
  } finally {
    for (const temporary of [fixtures, modules]) fs.rmSync(temporary, { recursive: true, force: true });
  }
}
