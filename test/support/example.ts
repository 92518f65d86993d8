/** Follows an example as its reader does, in a copy of its folder: synthesizes its app, serves the stack, and runs scripts. */
import { execFile, execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { builtFile } from '../../lib/host/packages';
import { temporaryFolder } from './model-builder';
import { shareZips } from './share-zips';
import type { CliResult, Outcome } from './run-cli';
import { serve as serveStack } from './served-stack';

export class Example {
  readonly folder = temporaryFolder();

  constructor(private readonly name: string) {
    fs.cpSync(path.join(__dirname, '../../examples', name), this.folder, { recursive: true });
  }

  /** Runs a script of the example, such as `call`, which may fail. */
  async run(
    script: string,
    args: readonly string[] = [],
    environment: NodeJS.ProcessEnv = process.env,
  ): Promise<Outcome> {
    // The SDK warns of an old Node.js.
    const command = ['--no-warnings', builtFile(`examples/${this.name}/${script}.js`), ...args];
    const place = { cwd: this.folder, env: environment };
    try {
      return { code: 0, ...(await promisify(execFile)(process.execPath, command, place)) };
    } catch (error) {
      return error as Outcome;
    }
  }

  /** Synthesizes as `cdk synth` does, and returns the folder of the assembly. */
  async synthesize(context: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const assembly = path.join(this.folder, 'cdk.out');
    const settings = { CDK_OUTDIR: assembly, CDK_CONTEXT_JSON: JSON.stringify(context) };
    const { code, stderr } = await this.run('app', [], { ...process.env, ...settings });
    if (code !== 0) throw new Error(stderr);
    return shareZips(assembly);
  }
}

export interface Served {
  /** The variables that point an AWS SDK at the local cloud. */
  readonly environment: NodeJS.ProcessEnv;
  stop(): Promise<CliResult>;
}

/** Serves an assembly with `sliced-inference local` until `stop`. */
export async function serve(assembly: string, flags: readonly string[] = []): Promise<Served> {
  const file = path.join(temporaryFolder(), 'cloud.env');
  const serving = await serveStack([assembly, '--write-env', file, ...flags]);
  const options = { encoding: 'utf8', env: { PATH: process.env.PATH } } as const;
  const sourced = execFileSync('sh', ['-c', `. "${file}"; env -0`], options);
  const environment = Object.fromEntries(
    sourced.split('\0').map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]),
  );
  return { environment, stop: () => serving.stop('SIGTERM') };
}
