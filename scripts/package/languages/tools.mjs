// What the packages for other languages need: tools, and the servers of their dependencies, which are asked for something small that jsii's
// packages need anyway, and not from a cache.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { IS_WINDOWS } from '../project.mjs';

export const PYTHON = IS_WINDOWS ? 'python' : 'python3';
export const MAVEN = IS_WINDOWS ? 'mvn.cmd' : 'mvn';

/** Maven's cache of downloads. pacmak downloads everything again unless we name it. */
export const MAVEN_CACHE = path.join(os.homedir(), '.m2/repository');

/** A project without plugins, for which Maven downloads one file. */
const POM = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>probe</groupId><artifactId>probe</artifactId><version>1</version><packaging>pom</packaging>
  <dependencyManagement><dependencies><dependency>
    <groupId>software.amazon.jsii</groupId><artifactId>jsii-runtime</artifactId><version>1.140.0</version>
    <type>pom</type><scope>import</scope>
  </dependency></dependencies></dependencyManagement>
</project>
`;

/** By language: commands that run in an empty folder with the POM. */
const NEEDS = {
  python: [
    [PYTHON, '-c', 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10)'],
    [PYTHON, ...'-m pip download --no-deps --no-cache-dir --retries 1 publication'.split(' ')],
  ],
  java: [
    ['javac', '-version'],
    [MAVEN, '--batch-mode', '-Dmaven.repo.local=repository', 'validate'],
  ],
  go: [['go', 'list', '-m', 'github.com/aws/jsii-runtime-go@v1.140.0']],
  dotnet: [['dotnet', '--list-sdks']],
};

export const LANGUAGE_NAMES = Object.keys(NEEDS);

/** @returns {string | undefined} why the package of a language can neither be built nor used here */
export function problemOf(language) {
  return inTemporaryFolder((folder) => {
    fs.writeFileSync(path.join(folder, 'pom.xml'), POM);
    const failing = NEEDS[language].find(([command, ...args]) => !succeeds(command, args, folder));
    return failing && `the package for ${language} needs \`${failing.join(' ')}\`, which fails`;
  });
}

export function inTemporaryFolder(use) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-pack-'));
  try {
    return use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function succeeds(command, args, cwd) {
  const env = { ...process.env, GOMODCACHE: path.join(cwd, 'modules'), GOFLAGS: '-modcacherw' };
  const shell = IS_WINDOWS && command.endsWith('.cmd');
  return spawnSync(command, args, { cwd, env, shell, stdio: 'ignore', timeout: 60_000 }).status === 0;
}
