// Compiles the construct library and the examples in its docstrings and in the README by the tools of jsii, for the other languages.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesIn, JSII_VARIABLES, ROOT, MANIFEST } from './project.mjs';

/** The folders that `lib/index.ts` imports from. */
const SOURCES = ['lib', 'contract'];

/**
 * Compiles `lib/` and `contract/` into `<folder>/dist`, beside its package.json and README.md, and writes the assembly `<folder>/.jsii`.
 * Returns the number of public types.
 *
 * @throws Error with jsii's messages, or with the types that other languages would lose
 */
export function compileLibrary(folder) {
  for (const source of SOURCES)
    fs.cpSync(path.join(ROOT, source), path.join(folder, source), { recursive: true });
  try {
    const jsii = spawnSync(process.execPath, [path.join(ROOT, 'node_modules/jsii/bin/jsii'), folder], {
      encoding: 'utf8',
      env: { ...process.env, ...JSII_VARIABLES },
    });
    if (jsii.status !== 0)
      throw new Error(`${jsii.stdout}${jsii.stderr}`.replaceAll(`${folder}${path.sep}`, '').trim());
  } finally {
    for (const source of [...SOURCES, 'tsconfig.json', 'dist/tsconfig.tsbuildinfo'])
      fs.rmSync(path.join(folder, source), { recursive: true, force: true });
  }
  // jsii always writes the sources into the code, as maps. They are half of its bytes.
  for (const file of filesIn(path.join(folder, 'dist')).filter((name) => name.endsWith('.js'))) {
    const code = fs.readFileSync(path.join(folder, 'dist', file), 'utf8');
    fs.writeFileSync(
      path.join(folder, 'dist', file),
      code.replace(/^\/\/# sourceMappingURL=data:.*\n?/m, ''),
    );
  }
  const { types } = JSON.parse(fs.readFileSync(path.join(folder, '.jsii'), 'utf8'));
  const problems = problemsIn(types, '');
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return Object.keys(types).length;
}

/**
 * Finds types that jsii accepts but other languages lose, unions and `any`, and summaries that jsii ended in the middle of a sentence, at a
 * semicolon.
 */
function problemsIn(value, place) {
  if (typeof value !== 'object' || value === null) return [];
  if (value.union !== undefined)
    return [`${place} must have one type, got a union: use a class with factories`];
  if (value.primitive === 'any') return [`${place} must have a type, got any: name the type`];
  const here = typeof value.name === 'string' ? [place, value.name].filter(Boolean).join('.') : place;
  const isBroken = value.docs?.summary?.endsWith(';');
  return [
    ...(isBroken
      ? [`the docstring of ${here} must have no semicolon in its first sentence, got one: use a period`]
      : []),
    ...Object.values(value).flatMap((child) => problemsIn(child, here)),
  ];
}

const FIXTURE = fileURLToPath(new URL('examples.ts-fixture', import.meta.url));

/**
 * Writes the translations to `<folder>/.jsii.tabl.json`, where jsii-pacmak and Construct Hub look for them.
 *
 * @throws Error with a line for each example that does not compile
 */
export function translateExamples(folder) {
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
