// Builds the packages for other languages, with jsii-pacmak, from the staged folder and npm's tarball.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { ROOT, STAGED, TARBALL } from '../project.mjs';
import { dotnetProblem } from './dotnet.mjs';
import { goProblem } from './go.mjs';
import { javaOptions, javaProblem, javaVariables, removeRepositoryMetadata } from './java.mjs';
import { finishPythonPackages, pythonProblem, pythonVariables } from './python.mjs';

/** The time of all files in packages, in seconds: npm's, 26 October 1985. A wheel's times begin in 1980. */
const SOURCE_DATE_EPOCH = '499162500';

/**
 * What a language needs: `problem` says why its package cannot be built here, as in "the Python package needs ..."; `options` are
 * options of pacmak and `variables` environment variables for the build; `finish` changes the built files. `time` is the
 * time of all files.
 *
 * @type {Record<string, {
 *   problem: () => string | undefined,
 *   options?: () => string[],
 *   variables?: (time: string) => Record<string, string>,
 *   finish?: (folder: string, time: string) => void,
 * }>}
 */
const LANGUAGES = {
  python: { problem: pythonProblem, variables: pythonVariables, finish: finishPythonPackages },
  java: {
    problem: javaProblem,
    options: javaOptions,
    variables: javaVariables,
    finish: removeRepositoryMetadata,
  },
  go: { problem: goProblem },
  dotnet: { problem: dotnetProblem },
};

export const LANGUAGE_NAMES = Object.keys(LANGUAGES);

/**
 * Builds the package of a language in `<outdir>/<language>`. It contains npm's package. The same package makes the same bytes.
 *
 * @param {string} language one of LANGUAGE_NAMES
 * @param {string} outdir
 * @returns {string[] | undefined} the files, or undefined after a message if a tool is missing
 */
export function packLanguage(language, outdir) {
  const found = LANGUAGES[language];
  if (found === undefined)
    throw new Error(
      `a language must be one of ${LANGUAGE_NAMES.join(', ')}, got '${language}': use one of these names`,
    );
  const problem = found.problem();
  if (problem !== undefined) {
    console.log(`skipped: ${problem}`);
    return undefined;
  }
  const target = path.join(outdir, language);
  // pacmak checks wheels through a shell, without quotes around their path, which may have spaces in `outdir`.
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), `pack-${language}-`));
  try {
    pacmak(language, temporary, found.options?.() ?? [], {
      SOURCE_DATE_EPOCH,
      ...found.variables?.(SOURCE_DATE_EPOCH),
    });
    found.finish?.(path.join(temporary, language), SOURCE_DATE_EPOCH);
    fs.rmSync(target, { recursive: true, force: true });
    fs.cpSync(path.join(temporary, language), target, { recursive: true });
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
  return filesOf(target);
}

/**
 * Writes the sources of a language's package into `<outdir>/<language>`, which needs none of the language's tools.
 *
 * @param {string} language one of LANGUAGE_NAMES
 * @param {string} outdir
 * @returns {string[]} the files
 */
export function generateSources(language, outdir) {
  pacmak(language, outdir, ['--code-only', '--no-fingerprint'], {});
  return filesOf(path.join(outdir, language));
}

function filesOf(folder) {
  return fs
    .readdirSync(folder, { recursive: true })
    .map((name) => path.join(folder, name))
    .filter((file) => fs.statSync(file).isFile())
    .sort();
}

function pacmak(language, outdir, options, variables) {
  // pacmak packs the folder itself unless a command prints a tarball's name.
  const packed = ['--pack-command', 'node -p process.env.PACKED_TARBALL', '--no-npmignore'];
  const command = [path.join(ROOT, 'node_modules/jsii-pacmak/bin/jsii-pacmak'), ...packed, ...options];
  const common = {
    PACKED_TARBALL: TARBALL,
    JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: process.versions.node.split('.')[0],
  };
  // Wheels record the permissions of files.
  const umask = process.umask(0o022);
  try {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...command, '--targets', language, '--outdir', outdir, STAGED],
      { encoding: 'utf8', env: { ...process.env, ...common, ...variables } },
    );
    if (status !== 0) throw new Error(`${stdout}${stderr}`.trim());
  } finally {
    process.umask(umask);
  }
}
