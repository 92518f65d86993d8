// Checks the packages for other languages than TypeScript: `npm run check:languages -- --languages java,go`. Each is built with the same bytes
// twice. The example's app synthesizes in an empty folder what the same stack synthesizes in TypeScript, with the same CDK. For .NET, there is
// no example: the package is only built. Run `npm run pack` before.
import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { packLanguage, removeFromMavenCache } from '../../scripts/package/languages/pack-language.mjs';
import {
  LANGUAGE_NAMES,
  MAVEN,
  MAVEN_CACHE,
  PYTHON,
  problemOf,
} from '../../scripts/package/languages/tools.mjs';
import * as project from '../../scripts/package/project.mjs';
import { App, checkPacked, timed, withEmptyFolder } from './app.mjs';
import { blocksOf } from './fences.cjs';
import { writeSmallModel } from './small-model.mjs';

/**
 * Name of the language, the document that has the example's stack in TypeScript, and how to install what the app needs with the built
 * package.
 *
 * @type {Record<string, { name: string, guide: string, stack: string, install: (app: App, packages: string) => void, after?: () => void }>}
 */
const APPS = {
  python: { name: 'Python', guide: 'docs/python.md', stack: 'Classifier', install: installForPython },
  java: {
    name: 'Java',
    guide: 'README.md',
    stack: 'Ocr',
    install: installForJava,
    after: removeFromMavenCache,
  },
  go: { name: 'Go', guide: 'README.md', stack: 'Ocr', install: installForGo },
};

const PIP = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];

const { values } = parseArgs({ options: { languages: { type: 'string', default: 'java,go,dotnet' } } });
const languages = values.languages.split(',');
const unknown = languages.find((language) => !LANGUAGE_NAMES.includes(language));
if (unknown !== undefined)
  throw new Error(`--languages must name some of ${LANGUAGE_NAMES.join(',')}, got '${unknown}'`);
checkPacked();
await withEmptyFolder((folder) => {
  for (const language of languages)
    if (language === 'dotnet') packLanguage(language, folder);
    else checkApp(language, folder);
});

function checkApp(language, folder) {
  const { name, guide, stack, install, after } = APPS[language];
  const problem = problemOf(language);
  if (problem !== undefined) {
    console.log(`skipped: ${problem}`);
    return;
  }
  const packages = buildTwice(language, folder);
  const own = path.join(folder, `${language}-app`);
  const app = new App(name, own, path.join(own, project.IS_WINDOWS ? '.venv/Scripts' : '.venv/bin'));
  fs.cpSync(path.join(project.ROOT, 'examples', language), own, {
    recursive: true,
    filter: (file) => !/(target|cdk\.out|go\.sum|\.venv|__pycache__|\.onnx|\.npz)$/.test(file),
  });
  writeSmallModel(path.join(own, 'model.onnx'));
  try {
    console.log(`${name}: installing and compiling took ${timed(() => install(app, packages))}`);
    app.synthesize();
  } finally {
    after?.();
  }
  const typescript = typescriptApp(path.join(folder, `typescript-for-${language}`), app, guide);
  compare(app, typescript, stack);
  if (language !== 'python') return;
  checkCommand(app);
  checkInit(app);
}

function buildTwice(language, folder) {
  const { name } = APPS[language];
  const build = (outdir) => {
    console.log(`${name}: the package was built in ${timed(() => packLanguage(language, outdir))}`);
    return path.join(outdir, language);
  };
  const before = path.join(project.PACKAGES, language);
  const first = fs.existsSync(before) ? before : build(path.join(folder, 'first'));
  const second = build(path.join(folder, 'second'));
  console.log(`${name}: ${compareFolders(first, second)}, the same bytes in two builds`);
  return second;
}

/** @returns what was compared, such as `3 files, 1.0 MB` */
function compareFolders(first, second, isCompared = () => true) {
  const [names, others] = [first, second].map((folder) => project.filesIn(folder).filter(isCompared));
  assert.deepEqual(names, others, 'both folders must have the same files');
  assert.notEqual(names.length, 0, 'there must be files to compare');
  const bytes = (folder, name) => fs.readFileSync(path.join(folder, name));
  const different = names.filter((name) => !bytes(first, name).equals(bytes(second, name)));
  assert.deepEqual(different, [], 'files must have the same bytes');
  const size = names.reduce((sum, name) => sum + bytes(first, name).length, 0);
  return `${names.length} files, ${project.megabytes(size)}`;
}

function installForPython(app, packages) {
  app.run(PYTHON, ['-m', 'venv', '.venv']);
  const wheels = project.filesIn(packages).filter((file) => file.endsWith('.whl'));
  app.run('python', [
    ...PIP,
    ...wheels.map((file) => path.join(packages, file)),
    '--requirement',
    'requirements.txt',
  ]);
  app.run('python', ['make_model.py']);
}

/** Maven finds the package in a folder, and keeps downloads in a cache that this script knows. */
function installForJava(app, packages) {
  const write = (file, text) => fs.writeFileSync(path.join(app.folder, file), text);
  const repository = `-Dsliced-inference.repository=${pathToFileURL(packages).href}`;
  for (const folder of ['.mvn', 'tmp']) fs.mkdirSync(path.join(app.folder, folder));
  write('.mvn/maven.config', `${repository}\n-Dmaven.repo.local=${MAVEN_CACHE}\n`);
  // jsii's Java runtime leaves its temporary files. Maven splits this file at spaces, so the path is relative.
  write('.mvn/jvm.config', '-Djava.io.tmpdir=tmp\n');
  removeFromMavenCache();
  app.run(MAVEN, ['--batch-mode', '--quiet', 'compile']);
}

function installForGo(app, packages) {
  const { moduleName, packageName } = project.MANIFEST.jsii.targets.go;
  const replacement = `${moduleName}/${packageName}=${path.join(packages, packageName)}`;
  app.run('go', ['mod', 'edit', '-replace', replacement]);
  app.run('go', ['mod', 'tidy']);
  app.run('go', ['build', '-o', os.devNull, '.']);
}

function typescriptApp(folder, other, guide) {
  const app = App.typescript(folder);
  const packages = Object.entries(versionsOf(other)).map(([name, version]) => `${name}@${version}`);
  app.npmInstall(packages.join(' '), [...packages, project.TARBALL]);
  app.writeApp(guide);
  fs.copyFileSync(path.join(other.folder, 'model.onnx'), path.join(folder, 'model.onnx'));
  app.synthesize();
  return app;
}

function versionsOf({ folder }) {
  const { tree } = JSON.parse(fs.readFileSync(path.join(folder, 'cdk.out/tree.json'), 'utf8'));
  const found = {};
  const visit = ({ constructInfo, children = {} }) => {
    const [library] = constructInfo?.fqn.split('.') ?? [];
    if (library === 'aws-cdk-lib' || library === 'constructs') found[library] = constructInfo.version;
    Object.values(children).forEach(visit);
  };
  visit(tree);
  return found;
}

function compare(app, typescript, stack) {
  const assemblies = [app, typescript].map(({ folder }) => path.join(folder, 'cdk.out'));
  const [template, other] = assemblies.map((assembly) => templateIn(assembly, stack));
  assert.deepEqual(template, other, "the template must equal TypeScript's");
  const assets = compareFolders(...assemblies, (name) => /^(asset\.|plan-)/.test(name));
  const resources = Object.keys(template.Resources).length;
  console.log(`${app.language}: ${resources} resources and assets of ${assets} equal TypeScript's`);
}

/** Without CDK's analytics, which name the language of the app. */
function templateIn(assembly, stack) {
  const template = JSON.parse(fs.readFileSync(path.join(assembly, `${stack}.template.json`), 'utf8'));
  delete template.Resources.CDKMetadata;
  delete template.Conditions;
  return template;
}

/** Checks that pip's command passes on arguments, messages and exit codes. */
function checkCommand(python) {
  const failure = `sliced-inference inspect 'no model.onnx' 2>&1 || [ $? = 2 ]`;
  assert.match(python.run('sh', ['-ec', failure]), /error: model 'no model\.onnx' must be/);
}

/** Follows the app that `init` writes, with the fixture of the guide, and a call of the model through it. */
function checkInit(python) {
  const own = path.join(python.folder, 'own');
  const model = path.join(python.folder, 'model.onnx');
  python.run('sliced-inference', ['init', own, '--model', model, '--language', 'python']);
  const app = new App('Python', own, path.join(python.folder, '.venv/bin'));
  app.run('python', [...PIP, '--requirement', 'requirements.txt']);
  app.synthesize();
  const guide = 'docs/testing.md';
  for (const { attributes, text } of blocksOf(guide, fs.readFileSync(path.join(project.ROOT, guide), 'utf8')))
    if (attributes.file?.endsWith('.py')) fs.writeFileSync(path.join(own, attributes.file), text);
  for (const run of ['first', 'second'])
    console.log(
      `Python: ${app.run('pytest', ['--quiet']).trim().split('\n').at(-1)} in the ${run} run of pytest`,
    );
}
