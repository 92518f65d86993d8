// Checks the packages for Java, Go and .NET. Each is built with the same bytes twice. The apps of `examples/java` and
// `examples/go` synthesize in an empty folder what the README's stack synthesizes in TypeScript with the same CDK.
// For .NET, only the sources are compared if the machine has no .NET SDK. Run `npm run pack` before.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import ts from 'typescript';
import { compareAssets, compareTemplates } from './compare-assemblies.mjs';
import { dotnetProblem } from './dotnet.mjs';
import { ExampleApp, timed } from './example-app.mjs';
import { goProblem } from './go.mjs';
import { npmInstall } from './installed-app.mjs';
import { MAVEN, MAVEN_CACHE, javaProblem, removeFromMavenCache } from './java.mjs';
import { generateSources, packLanguage } from './languages.mjs';
import { writeSmallModel } from './small-model.mjs';

const STACK = 'Ocr';

/**
 * Name of the language, why its package cannot be built here, and how to install the app's dependencies with the built
 * package.
 *
 * @type {Record<string, {
 *   name: string,
 *   problem: () => string | undefined,
 *   install: (app: ExampleApp, packages: string) => void,
 *   forget?: () => void,
 * }>}
 */
const APPS = {
  java: { name: 'Java', problem: javaProblem, install: installForJava, forget: removeFromMavenCache },
  go: { name: 'Go', problem: goProblem, install: installForGo },
};

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const { version, jsii } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
const staged = path.join(root, 'dist/package');
const tarball = path.join(root, `dist/js/cdk-sliced-inference-${version}.tgz`);

main();

function main() {
  const { values } = parseArgs({ options: { languages: { type: 'string', default: 'java,go,dotnet' } } });
  const languages = values.languages.split(',');
  const unknown = languages.find((language) => language !== 'dotnet' && !(language in APPS));
  if (unknown !== undefined)
    throw new Error(`--languages must name java, go or dotnet, got '${unknown}': separate names by commas`);
  if (!fs.existsSync(tarball))
    throw new Error(`the package must be packed, got no ${path.basename(tarball)}: run \`npm run pack\``);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'check-languages-'));
  try {
    for (const language of languages)
      if (language === 'dotnet') checkDotnet(folder);
      else checkApp(language, folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function checkApp(language, folder) {
  const { name, problem, install, forget } = APPS[language];
  const found = problem();
  if (found !== undefined) {
    console.log(`skipped: ${found}`);
    return;
  }
  const packages = buildTwice(language, folder);
  const app = new ExampleApp(
    name,
    path.join(folder, `${language}-app`),
    path.join(root, 'node_modules/.bin'),
  );
  fs.cpSync(path.join(root, 'examples', language), app.folder, {
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
  const before = path.join(root, 'dist', language);
  const first = fs.existsSync(before) ? before : build(language, path.join(folder, 'first'));
  const second = build(language, path.join(folder, 'second'));
  const [files, bytes] = compareFolders(first, second);
  console.log(`${APPS[language].name}: ${files} files, ${megabytes(bytes)}, the same bytes in two builds`);
  return second;
}

function build(language, outdir) {
  const seconds = timed(() => packLanguage(language, staged, tarball, outdir));
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
  const { moduleName, packageName } = jsii.targets.go;
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
  const app = new ExampleApp('TypeScript', folder, path.join(folder, 'node_modules/.bin'));
  if (fs.existsSync(folder)) return app;
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const packages = Object.entries(versions).map(([name, number]) => `${name}@${number}`);
  const { seconds } = npmInstall(folder, [...packages, tarball]);
  console.log(`TypeScript: npm install took ${seconds.toFixed(1)} s, with ${packages.join(' and ')}`);
  const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
  const [, code] = /^```ts\b[^\n]*\n([\s\S]*?)^```$/m.exec(readme) ?? [];
  if (code === undefined) throw new Error('README.md must have a stack in TypeScript, got no such block');
  const { outputText } = ts.transpileModule(code, { compilerOptions: { module: ts.ModuleKind.CommonJS } });
  fs.writeFileSync(path.join(folder, 'app.js'), outputText);
  fs.writeFileSync(path.join(folder, 'cdk.json'), '{ "app": "node app.js" }\n');
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
  for (const outdir of [first, second]) generateSources('dotnet', staged, tarball, outdir);
  const [files, bytes] = compareFolders(first, second);
  console.log(`.NET: sources of ${files} files, ${megabytes(bytes)}, the same bytes in two builds`);
  const problem = dotnetProblem();
  if (problem === undefined)
    console.log(`.NET: ${timed(() => packLanguage('dotnet', staged, tarball, folder))}`);
  else console.log(`skipped: ${problem}`);
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
