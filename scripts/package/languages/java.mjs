// What the Java package needs: a JDK, Maven and Maven Central, and files that are the same in each build.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { IS_WINDOWS, MANIFEST } from '../project.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const { groupId, artifactId } = MANIFEST.jsii.targets.java.maven;

export const MAVEN = IS_WINDOWS ? 'mvn.cmd' : 'mvn';

/** Maven's cache of downloads. pacmak downloads everything again unless we name it. */
export const MAVEN_CACHE = path.join(os.homedir(), '.m2/repository');

/** A project without plugins. Maven downloads one file of a few KB, which jsii's packages need anyway. */
const PROBE = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>probe</groupId>
  <artifactId>probe</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencyManagement>
    <dependencies>
      <dependency>
        <groupId>software.amazon.jsii</groupId>
        <artifactId>jsii-runtime</artifactId>
        <version>1.140.0</version>
        <type>pom</type>
        <scope>import</scope>
      </dependency>
    </dependencies>
  </dependencyManagement>
</project>
`;

/** Returns why a Java package can neither be built nor used here, or undefined. */
export function javaProblem() {
  const missing = [
    ['javac', '-version'],
    [MAVEN, '--version'],
  ].find(([command, argument]) => !succeeds(command, [argument]));
  if (missing !== undefined) return `Java needs a JDK and Maven, and \`${missing[0]}\` does not run`;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'maven-central-'));
  try {
    fs.writeFileSync(path.join(folder, 'pom.xml'), PROBE);
    // Not from the cache, to ask the server.
    const options = ['--batch-mode', `-Dmaven.repo.local=${path.join(folder, 'repository')}`];
    if (!succeeds(MAVEN, [...options, 'validate'], folder))
      return 'Java needs Maven Central, which does not answer';
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  return undefined;
}

/** Options for pacmak. With fingerprints it would write the time of the build into each source file. */
export function javaOptions() {
  return ['--no-fingerprint', '--maven-local-repository', MAVEN_CACHE];
}

/**
 * Properties for Maven, through a variable that pacmak passes on: times in archives, no time in the API documentation, and
 * the same versions of dependencies in each build. pacmak replaces their ranges by the newest version of the day.
 *
 * @param {string} time in seconds
 */
export function javaVariables(time) {
  const properties = {
    'project.build.outputTimestamp': new Date(Number(time) * 1000).toISOString(),
    notimestamp: 'true',
    'maven.install.skip': 'true',
    'maven.version.rules': pathToFileURL(path.join(here, 'java-versions.xml')).href,
  };
  const options = Object.entries(properties).map(([name, value]) => `-D${name}=${value}`);
  return { MAVEN_OPTS: [process.env.MAVEN_OPTS, ...options].filter(Boolean).join(' ') };
}

/** Removes what a repository's server writes itself: the list of versions, with the time of the upload. */
export function removeRepositoryMetadata(folder) {
  const artifact = path.join(folder, ...groupId.split('.'), artifactId);
  for (const name of fs.readdirSync(artifact).filter((file) => file.startsWith('maven-metadata.xml')))
    fs.rmSync(path.join(artifact, name));
  removeFromMavenCache();
}

/** Removes the package from Maven's cache, where it would hide a later build of the same version. */
export function removeFromMavenCache() {
  const group = path.join(MAVEN_CACHE, ...groupId.split('.'));
  fs.rmSync(path.join(group, artifactId), { recursive: true, force: true });
  if (fs.existsSync(group) && fs.readdirSync(group).length === 0) fs.rmdirSync(group);
}

function succeeds(command, args, cwd) {
  const shell = IS_WINDOWS && command.endsWith('.cmd');
  return spawnSync(command, args, { cwd, shell, stdio: 'ignore', timeout: 60_000 }).status === 0;
}
