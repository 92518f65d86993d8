// Checks the packages for Java, Go and .NET. Each is built with the same bytes twice. The apps of `examples/java` and
// `examples/go` synthesize in an empty folder what the README's stack synthesizes in TypeScript with the same CDK.
// For .NET, only the sources are compared if the machine has no .NET SDK. Run `npm run pack` before.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { megabytes, timed } from '../figures.mjs';
import { dotnetProblem } from '../languages/dotnet.mjs';
import { goProblem } from '../languages/go.mjs';
import { MAVEN, MAVEN_CACHE, javaProblem, removeFromMavenCache } from '../languages/java.mjs';
import { generateSources, packLanguage } from '../languages/pack-language.mjs';
import { MANIFEST, PACKAGES, ROOT, TARBALL, checkPacked } from '../project.mjs';
import { App, withEmptyFolder } from './app.mjs';
import { compareAssets, compareTemplates } from './compare-assemblies.mjs';
import { writeSmallModel } from './small-model.mjs';

const STACK = 'Ocr';

/**
 * Name of the language, why its package cannot be built here, and how to install the app's dependencies with the built
 * package.
 *
 * @type {Record<string, {
 *   name: string,
 *   problem: () => string | undefined,
 *   install: (app: App, packages: string) => void,
 *   forget?: () => void,
 * }>}
 */
const APPS = {
  java: { name: 'Java', problem: javaProblem, install: installForJava, forget: removeFromMavenCache },
  go: { name: 'Go', problem: goProblem, install: installForGo },
};

const { values } = parseArgs({ options: { languages: { type: 'string', default: 'java,go,dotnet' } } });
const languages = values.languages.split(',');
const unknown = languages.find((language) => language !== 'dotnet' && !(language in APPS));
if (unknown !== undefined)
  throw new Error(`--languages must name java, go or dotnet, got '${unknown}': separate names by commas`);
checkPacked();
await withEmptyFolder((folder) => {
  for (const language of languages)
    if (language === 'dotnet') checkDotnet(folder);
    else checkApp(language, folder);
});

function checkApp(language, folder) {
  const { name, problem, install, forget } = APPS[language];
  const found = problem();
  if (found !== undefined) {
    console.log(`skipped: ${found}`);
    return;
  }
  const packages = buildTwice(language, folder);
  const app = new App(name, path.join(folder, `${language}-app`), path.join(ROOT, 'node_modules/.bin'));
  fs.cpSync(path.join(ROOT, 'examples', language), app.folder, {
    recursive: true,
    filter: (file) => !/(target|cdk\.out|go\.sum|\.onnx)$/.test(file),
  });
  writeSmallModel(path.join(app.folder, 'model.onnx'));
  try {
    console.log(`${name}: installing and compiling took ${timed(() => install(app, packages))}`);
    app.synthesize('first');
    app.synthesize('second');
  } finally {
    forget?.();
  }
  const versions = versionsOf(app);
  compare(app, typescriptApp(path.join(folder, `typescript-${versions['aws-cdk-lib']}`), versions));
}

/** Builds a package, compares it with another build, and returns its folder. */
function buildTwice(language, folder) {
  const before = path.join(PACKAGES, language);
  const first = fs.existsSync(before) ? before : build(language, path.join(folder, 'first'));
  const second = build(language, path.join(folder, 'second'));
  const [files, bytes] = compareFolders(first, second);
  console.log(`${APPS[language].name}: ${files} files, ${megabytes(bytes)}, the same bytes in two builds`);
  return second;
}

function build(language, outdir) {
  const seconds = timed(() => packLanguage(language, outdir));
  console.log(`${APPS[language].name}: the package was built in ${seconds}`);
  return path.join(outdir, language);
}

function compareFolders(first, second) {
  const [names, others] = [first, second].map(filesOf);
  const different = [...new Set([...names, ...others])].filter((name) => {
    const files = [first, second].map((folder) => path.join(folder, name));
    return !files.every((file) => fs.existsSync(file)) || !isSame(...files);
  });
  if (names.length === 0 || different.length > 0)
    throw new Error(
      `two builds must have the same files, got ${names.length}, of which differ: ${different.join(', ')}`,
    );
  const sizes = names.map((name) => fs.statSync(path.join(first, name)).size);
  return [names.length, sizes.reduce((sum, size) => sum + size, 0)];
}

function filesOf(folder) {
  return fs
    .readdirSync(folder, { recursive: true })
    .filter((name) => fs.statSync(path.join(folder, name)).isFile());
}

function isSame(file, other) {
  return fs.readFileSync(file).equals(fs.readFileSync(other));
}

/** Maven finds the package in a folder, and keeps downloads in a cache that this script knows. */
function installForJava(app, packages) {
  const options = {
    'sliced-inference.repository': pathToFileURL(packages).href,
    'maven.repo.local': MAVEN_CACHE,
  };
  fs.mkdirSync(path.join(app.folder, '.mvn'));
  fs.writeFileSync(
    path.join(app.folder, '.mvn/maven.config'),
    Object.entries(options)
      .map(([name, value]) => `-D${name}=${value}\n`)
      .join(''),
  );
  // jsii's Java runtime leaves its temporary files. Maven splits this file at spaces, so the path is relative.
  fs.mkdirSync(path.join(app.folder, 'tmp'));
  fs.writeFileSync(path.join(app.folder, '.mvn/jvm.config'), '-Djava.io.tmpdir=tmp\n');
  removeFromMavenCache();
  app.run(MAVEN, ['--batch-mode', '--quiet', 'compile']);
}

function installForGo(app, packages) {
  const { moduleName, packageName } = MANIFEST.jsii.targets.go;
  const replacement = `${moduleName}/${packageName}=${path.join(packages, packageName)}`;
  app.run('go', ['mod', 'edit', '-replace', replacement]);
  app.run('go', ['mod', 'tidy']);
  app.run('go', ['build', '-o', os.devNull, '.']);
}

/** The versions of CDK that made an assembly, as its tree of constructs names them. */
function versionsOf(app) {
  const { tree } = JSON.parse(fs.readFileSync(path.join(app.folder, 'cdk.out/tree.json'), 'utf8'));
  const found = {};
  const visit = ({ constructInfo, children = {} }) => {
    const [library] = constructInfo?.fqn.split('.') ?? [];
    if (library === 'aws-cdk-lib' || library === 'constructs') found[library] = constructInfo.version;
    Object.values(children).forEach(visit);
  };
  visit(tree);
  return found;
}

/** Installs the tarball with the given CDK, and synthesizes the README's stack. */
function typescriptApp(folder, versions) {
  if (fs.existsSync(folder)) return new App('TypeScript', folder);
  const app = App.typescript(folder);
  const packages = Object.entries(versions).map(([name, number]) => `${name}@${number}`);
  const { seconds } = app.npmInstall([...packages, TARBALL]);
  console.log(`TypeScript: npm install took ${seconds}, with ${packages.join(' and ')}`);
  app.writeApp('README.md');
  writeSmallModel(path.join(folder, 'model.onnx'));
  app.synthesize('first');
  return app;
}

function compare(app, typescript) {
  const [assembly, other] = [app, typescript].map(({ folder }) => path.join(folder, 'cdk.out'));
  const files = [assembly, other].map((folder) => path.join(folder, `${STACK}.template.json`));
  const resources = compareTemplates(...files);
  const assets = compareAssets(assembly, other);
  console.log(
    `${app.language}: ${resources} resources and ${assets.files} files of assets (${megabytes(assets.bytes)}) equal ` +
      "TypeScript's but for CDKMetadata and its condition",
  );
}

/** Compares the sources of two builds, and builds the package if the machine has the .NET SDK. */
function checkDotnet(folder) {
  const [first, second] = ['first', 'second'].map((name) => path.join(folder, `dotnet-${name}`));
  for (const outdir of [first, second]) generateSources('dotnet', outdir);
  const [files, bytes] = compareFolders(first, second);
  console.log(`.NET: sources of ${files} files, ${megabytes(bytes)}, the same bytes in two builds`);
  const problem = dotnetProblem();
  if (problem === undefined) console.log(`.NET: ${timed(() => packLanguage('dotnet', folder))}`);
  else console.log(`skipped: ${problem}`);
}
