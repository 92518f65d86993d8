// Runs the tools of a CDK app that a check has made in a temporary folder.
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** An app that shares no cache with other apps of this machine. */
export class ExampleApp {
  /**
   * @param {string} language as messages name it
   * @param {string} folder the app's folder
   * @param {string} scripts folder of the commands that the app's packages install
   */
  constructor(language, folder, scripts) {
    this.language = language;
    this.folder = folder;
    this.variables = {
      ...process.env,
      PATH: `${scripts}${path.delimiter}${process.env.PATH}`,
      SLICED_INFERENCE_CACHE: path.join(folder, '.slices'),
      JSII_RUNTIME_PACKAGE_CACHE: 'enabled',
      JSII_RUNTIME_PACKAGE_CACHE_ROOT: path.join(folder, '.jsii'),
      JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: process.versions.node.split('.')[0],
    };
  }

  /** Runs a command in the app's folder and returns its standard output. */
  run(command, args) {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      cwd: this.folder,
      env: this.variables,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32' && command.endsWith('.cmd'),
    });
    if (status === 0) return stdout;
    // Logs of public builds hold no address of a package index.
    const output = `${stdout ?? ''}${stderr ?? error}`.replaceAll(/https?:\/\/[^\s/]+/g, '(address)').trim();
    throw new Error(`\`${[command, ...args].join(' ')}\` must succeed, got exit code ${status}:\n${output}`);
  }

  /** Runs `cdk synth` and prints how long it took. */
  synthesize(time) {
    const cdk = path.join(root, 'node_modules/aws-cdk/bin/cdk');
    const seconds = timed(() => this.run(process.execPath, [cdk, 'synth', '--quiet', '--no-notices']));
    console.log(`${this.language}: the ${time} cdk synth took ${seconds}`);
  }
}

/** Returns how long a piece of work takes. */
export function timed(work) {
  const start = performance.now();
  work();
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
