// A CDK app that a check makes in an empty folder, with packages as npm installs them by default.
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { text } from 'node:stream/consumers';
import ts from 'typescript';
import {
  filesIn,
  IS_WINDOWS,
  JSII_VARIABLES,
  megabytes,
  NPM,
  ROOT,
  TARBALL,
} from '../../scripts/package/project.mjs';
import { blocksOf } from './fences.cjs';

/** Settings that npm passes on to the scripts that it runs, from the repository's .npmrc and from `npm run --silent`. */
const INHERITED = [
  'npm_config_ignore_scripts',
  'npm_config_omit_lockfile_registry_resolved',
  'npm_config_audit',
  'npm_config_loglevel',
];

export function checkPacked() {
  if (fs.existsSync(TARBALL)) return;
  throw new Error(`the package must be packed, got no ${path.basename(TARBALL)}: run \`npm run pack\``);
}

export function timed(work) {
  const start = performance.now();
  work();
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

export async function withEmptyFolder(use) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-app-'));
  try {
    await use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The package.json of a package in `node_modules`, and not of a folder inside of one. */
const PACKAGE = /(^|\/node_modules)\/(@[^/]+\/)?[^/@]+\/package\.json$/;

/** An app that shares no cache with other apps of this machine. */
export class App {
  /**
   * @param {string} language as messages name it
   * @param {string} folder the app's folder
   * @param {string} scripts folder of the commands that the app's packages install
   */
  constructor(language, folder, scripts = path.join(folder, 'node_modules/.bin')) {
    this.language = language;
    this.folder = folder;
    const environment = Object.entries(process.env).filter(
      ([name]) => !INHERITED.includes(name.toLowerCase()),
    );
    this.variables = {
      ...Object.fromEntries(environment),
      PATH: `${scripts}${path.delimiter}${process.env.PATH}`,
      SLICED_INFERENCE_CACHE: path.join(folder, '.slices'),
      JSII_RUNTIME_PACKAGE_CACHE: 'enabled',
      JSII_RUNTIME_PACKAGE_CACHE_ROOT: path.join(folder, '.jsii'),
      ...JSII_VARIABLES,
      // The registry is asked only for what this machine has not installed before.
      npm_config_prefer_offline: 'true',
      // A reader's own machine, also when CI runs this check: with CI, Jest writes no first snapshot.
      CI: 'false',
    };
  }

  static typescript(folder) {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    fs.writeFileSync(path.join(folder, 'cdk.json'), '{ "app": "node app.js" }\n');
    return new App('TypeScript', folder);
  }

  /**
   * Runs a command in the app's folder, while this process may do other work.
   *
   * @returns {Promise<{ status: number | null, stdout: string }>}
   */
  async start(command, args, variables = {}) {
    const child = spawn(command, args, {
      cwd: this.folder,
      env: { ...this.variables, ...variables },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [stdout, status] = await Promise.all([
      text(child.stdout),
      new Promise((resolve, reject) => child.on('error', reject).on('close', resolve)),
    ]);
    return { status, stdout };
  }

  run(command, args, variables = {}) {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      cwd: this.folder,
      env: { ...this.variables, ...variables },
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: IS_WINDOWS && command.endsWith('.cmd'),
    });
    if (status === 0) return stdout;
    // Logs of public builds hold no address of a package index.
    const output = `${stdout ?? ''}${stderr ?? error}`.replaceAll(/https?:\/\/[^\s/]+/g, '(address)').trim();
    throw new Error(`\`${[command, ...args].join(' ')}\` must succeed, got exit code ${status}:\n${output}`);
  }

  /**
   * Installs packages with npm, and prints how many packages and bytes that added to `node_modules`, and how long it took. A user's own
   * settings may switch install scripts off; here they are on.
   */
  npmInstall(what, packages) {
    const before = this.installed();
    const options = ['--ignore-scripts=false', '--no-audit', '--no-fund'];
    const seconds = timed(() => this.run(NPM, ['install', ...options, ...packages]));
    const after = this.installed();
    const added = { packages: after.packages - before.packages, bytes: after.bytes - before.bytes };
    console.log(`npm install ${what}: ${added.packages} packages, ${megabytes(added.bytes)}, ${seconds}`);
    return added;
  }

  installed() {
    const modules = path.join(this.folder, 'node_modules');
    const files = fs.existsSync(modules) ? filesIn(modules) : [];
    return {
      packages: files.filter((file) => PACKAGE.test(`/${file.replaceAll(path.sep, '/')}`)).length,
      bytes: files.reduce((sum, file) => sum + fs.statSync(path.join(modules, file)).size, 0),
    };
  }

  /** Writes `app.js` from the first TypeScript in a document of the repository that creates an `App`. */
  writeApp(document, edit = (code) => code) {
    const markdown = fs.readFileSync(path.join(ROOT, document), 'utf8');
    const code = blocksOf(document, markdown).find(
      (block) => block.language === 'ts' && block.text.includes('new App()'),
    )?.text;
    if (code === undefined) throw new Error(`${document} must have a stack in TypeScript, got no such block`);
    const { outputText } = ts.transpileModule(edit(code), {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    });
    fs.writeFileSync(path.join(this.folder, 'app.js'), outputText);
  }

  synthesize() {
    const cdk = path.join(ROOT, 'node_modules/aws-cdk/bin/cdk');
    const seconds = timed(() => this.run(process.execPath, [cdk, 'synth', '--quiet', '--no-notices']));
    console.log(`${this.language}: cdk synth took ${seconds}`);
  }
}
