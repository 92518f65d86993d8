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

/** By language: why its package can neither be built nor used here, or undefined. */
const PROBLEMS = {
  python: (folder) => {
    const check = 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10)';
    if (!succeeds(PYTHON, ['-c', check])) return `the Python package needs ${PYTHON} 3.10 or newer with venv`;
    const pip = '-m pip download --no-deps --no-cache-dir --retries 1 publication'.split(' ');
    return succeeds(PYTHON, pip, folder)
      ? undefined
      : "the Python package needs pip's package index, which does not answer";
  },
  java: (folder) => {
    const tools = { javac: '-version', [MAVEN]: '--version' };
    const missing = Object.entries(tools).find(([command, argument]) => !succeeds(command, [argument]));
    if (missing !== undefined) return `Java needs a JDK and Maven, and \`${missing[0]}\` does not run`;
    fs.writeFileSync(path.join(folder, 'pom.xml'), POM);
    const options = ['--batch-mode', `-Dmaven.repo.local=${path.join(folder, 'repository')}`];
    return succeeds(MAVEN, [...options, 'validate'], folder)
      ? undefined
      : 'Java needs Maven Central, which does not answer';
  },
  go: (folder) => {
    if (!succeeds('go', ['version'])) return 'Go needs `go`, which does not run';
    const variables = { GOMODCACHE: path.join(folder, 'modules'), GOFLAGS: '-modcacherw' };
    const list = ['list', '-m', 'github.com/aws/jsii-runtime-go@v1.140.0'];
    return succeeds('go', list, folder, variables)
      ? undefined
      : "Go needs its modules' server, which does not answer";
  },
  dotnet: () => (succeeds('dotnet', ['--list-sdks']) ? undefined : '.NET needs `dotnet`, which does not run'),
};

export const LANGUAGE_NAMES = Object.keys(PROBLEMS);

/** @returns {string | undefined} why the package of a language can neither be built nor used here */
export function problemOf(language) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `needs-of-${language}-`));
  try {
    return PROBLEMS[language](folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function succeeds(command, args, cwd, variables) {
  const env = { ...process.env, ...variables };
  const shell = IS_WINDOWS && command.endsWith('.cmd');
  return spawnSync(command, args, { cwd, env, shell, stdio: 'ignore', timeout: 60_000 }).status === 0;
}
