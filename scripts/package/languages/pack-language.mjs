// Builds the packages for other languages, with jsii-pacmak, from the staged folder and npm's tarball. The same package makes the same bytes.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { filesIn, IS_WINDOWS, JSII_VARIABLES, MANIFEST, ROOT, STAGED, TARBALL } from '../project.mjs';
import { inTemporaryFolder, LANGUAGE_NAMES, MAVEN_CACHE, problemOf, PYTHON } from './tools.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const { groupId, artifactId } = MANIFEST.jsii.targets.java.maven;

/** The time of all files in packages, in seconds: npm's, 26 October 1985. A wheel's times begin in 1980. */
const SOURCE_DATE_EPOCH = '499162500';

/** The same versions of the build tools in each build, which packages record. */
const PIP_VARIABLES = {
  PIP_CONSTRAINT: path.join(here, 'python-constraints.txt'),
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
};

/**
 * For Maven, through a variable that pacmak passes on: times in archives, no time in the API documentation, and the same versions of
 * dependencies in each build. pacmak replaces their ranges by the newest version of the day.
 */
const MAVEN_PROPERTIES = {
  'project.build.outputTimestamp': new Date(Number(SOURCE_DATE_EPOCH) * 1000).toISOString(),
  notimestamp: 'true',
  'maven.install.skip': 'true',
  'maven.version.rules': pathToFileURL(path.join(here, 'java-versions.xml')).href,
};

/**
 * Options of pacmak, variables for the build, and what is changed in the built files.
 *
 * @type {Record<string, { options?: string[], variables?: Record<string, string>, finish?: (folder: string) => void }>}
 */
const LANGUAGES = {
  python: { variables: PIP_VARIABLES, finish: finishPython },
  java: {
    // With fingerprints it would write the time of the build into each source file.
    options: ['--no-fingerprint', '--maven-local-repository', MAVEN_CACHE],
    variables: {
      MAVEN_OPTS: [
        process.env.MAVEN_OPTS ?? '',
        ...Object.entries(MAVEN_PROPERTIES).map(([name, value]) => `-D${name}=${value}`),
      ].join(' '),
    },
    finish: finishJava,
  },
  go: {},
  dotnet: {},
};

export function checkLanguage(language) {
  if (!(language in LANGUAGES))
    throw new Error(
      `a language must be one of ${LANGUAGE_NAMES.join(', ')}, got '${language}': use one of these`,
    );
}

/**
 * Builds the package of a language in `<outdir>/<language>`. It contains npm's package.
 *
 * @returns {string[]} the files; none after a message if a tool is missing
 */
export function packLanguage(language, outdir) {
  checkLanguage(language);
  const problem = problemOf(language);
  if (problem !== undefined) {
    console.log(`skipped: ${problem}`);
    return [];
  }
  const { options = [], variables, finish } = LANGUAGES[language];
  const target = path.join(outdir, language);
  // pacmak checks wheels through a shell, without quotes around their path, which may have spaces in `outdir`.
  inTemporaryFolder((temporary) => {
    pacmak(language, temporary, options, { SOURCE_DATE_EPOCH, ...variables });
    finish?.(path.join(temporary, language));
    fs.rmSync(target, { recursive: true, force: true });
    fs.cpSync(path.join(temporary, language), target, { recursive: true });
  });
  return filesIn(target).map((name) => path.join(target, name));
}

function pacmak(language, outdir, options, variables) {
  // pacmak packs the folder itself unless a command prints a tarball's name.
  const packed = ['--pack-command', 'node -p process.env.PACKED_TARBALL', '--no-npmignore'];
  const command = [path.join(ROOT, 'node_modules/jsii-pacmak/bin/jsii-pacmak'), ...packed, ...options];
  run(process.execPath, [...command, '--targets', language, '--outdir', outdir, STAGED], {
    ...{ PACKED_TARBALL: TARBALL, ...JSII_VARIABLES },
    ...variables,
  });
}

/**
 * What jsii's script of `sliced-inference` says, and what it says in the wheel: the package is unpacked once and not for each command, the
 * box about Node.js 20 is left out, and Node.js takes the place of the script's process, so that it gets the signals.
 */
const COMMAND_EDITS = [
  [
    /^if "JSII_RUNTIME_PACKAGE_CACHE" not in os\.environ:\n.*\n/m,
    `os.environ.setdefault("JSII_RUNTIME_PACKAGE_CACHE", "enabled")
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
`,
  ],
  [
    /^exit_code = /m,
    // Without the cache, the files go with jsii's process. Windows cannot replace a process.
    `if os.name == "posix" and os.environ["JSII_RUNTIME_PACKAGE_CACHE"] == "enabled":
    from jsii._runtime import kernel

    command = kernel.getBinScriptCommand("${MANIFEST.name}", "sliced-inference", sys.argv[1:])
    os.environ["JSII_AGENT"] = command.env["JSII_AGENT"]
    os.execve(os.path.realpath(command.command), [command.command, *command.args], os.environ)

exit_code = `,
  ],
];

/**
 * Builds the client beside the construct's wheel, whose command is edited. Removes the construct's source distribution, which has the same
 * files: setuptools records when and by whom they were made.
 */
function finishPython(folder) {
  for (const name of fs.readdirSync(folder).filter((file) => file.endsWith('.tar.gz')))
    fs.rmSync(path.join(folder, name));
  inTemporaryFolder((temporary) => {
    const sources = path.join(temporary, 'sources');
    const filter = (file) => !/__pycache__|_cache$/.test(file);
    fs.cpSync(path.join(ROOT, 'client/python'), sources, { recursive: true, filter });
    fs.copyFileSync(path.join(ROOT, 'LICENSE'), path.join(sources, 'LICENSE'));
    const venv = path.join(temporary, 'venv');
    const python = path.join(venv, IS_WINDOWS ? 'Scripts/python.exe' : 'bin/python');
    const variables = { ...PIP_VARIABLES, SOURCE_DATE_EPOCH };
    run(PYTHON, ['-m', 'venv', venv]);
    run(python, ['-m', 'pip', 'install', '--quiet', 'hatchling', 'wheel'], variables);
    editCommand(folder, temporary, (args) => run(python, ['-m', 'wheel', ...args], variables));
    run(python, ['-m', 'hatchling', 'build', '--directory', folder], variables, sources);
  });
}

function editCommand(folder, temporary, wheel) {
  const [built] = fs.readdirSync(folder).filter((file) => file.endsWith('.whl'));
  wheel(['unpack', path.join(folder, built), '--dest', temporary]);
  const [unpacked] = fs.readdirSync(temporary).filter((name) => built.startsWith(`${name}-`));
  const content = path.join(temporary, unpacked);
  const script = path.join(content, `${unpacked}.data/scripts/sliced-inference`);
  const edited = COMMAND_EDITS.reduce(
    (text, [from, to]) => {
      if (!from.test(text)) throw new Error(`jsii's script must match ${from}, got\n${text}`);
      return text.replace(from, () => to);
    },
    fs.readFileSync(script, 'utf8'),
  );
  fs.writeFileSync(script, edited);
  wheel(['pack', content, '--dest-dir', folder]);
}

/** Removes what a repository's server writes itself: the list of versions, with the time of the upload. */
function finishJava(folder) {
  const artifact = path.join(folder, ...groupId.split('.'), artifactId);
  for (const name of fs.readdirSync(artifact).filter((file) => file.startsWith('maven-metadata.xml')))
    fs.rmSync(path.join(artifact, name));
  removeFromMavenCache();
}

/** Removes the package from Maven's cache, where it would hide a later build of the same version. */
export function removeFromMavenCache() {
  fs.rmSync(path.join(MAVEN_CACHE, ...groupId.split('.'), artifactId), { recursive: true, force: true });
}

function run(program, args, variables = {}, cwd = undefined) {
  const env = { ...process.env, ...variables };
  // Archives record the permissions of files.
  const umask = process.umask(0o022);
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  process.umask(umask);
  if (status !== 0) throw new Error(error?.message ?? `${stdout}${stderr}`.trim());
}
