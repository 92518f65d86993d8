/** Follows an example as its reader does: synthesizes its app, serves the stack with `sliced-inference local`, and runs scripts. */
import { type ChildProcess, execFile, execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { builtFile } from '../../lib/host/package-files';
import { temporaryFolder } from './model-builder';
import { shareZips } from './share-zips';
import { cli, type CliResult } from './run-cli';
import { until } from './until';

interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

export interface Served {
  /** The variables that point an AWS SDK at the local cloud. */
  readonly environment: NodeJS.ProcessEnv;
  stop(): Promise<CliResult>;
}

export class Example {
  /** Holds what the scripts write. */
  readonly folder = temporaryFolder();

  constructor(private readonly name: string) {}

  /** Runs a script of the example, such as `call`, in the folder. */
  async run(
    script: string,
    args: readonly string[] = [],
    environment: NodeJS.ProcessEnv = process.env,
  ): Promise<Output> {
    // The SDK warns of an old Node.js.
    const built = ['--no-warnings', builtFile(`examples/${this.name}/${script}.js`)];
    return await promisify(execFile)(process.execPath, [...built, ...args], {
      cwd: this.folder,
      env: environment,
    });
  }

  /** Synthesizes as `cdk synth` does, and returns the folder of the assembly. */
  async synthesize(context: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const assembly = path.join(this.folder, 'cdk.out');
    await this.run('app', [], {
      ...process.env,
      CDK_OUTDIR: assembly,
      CDK_CONTEXT_JSON: JSON.stringify(context),
    });
    return shareZips(assembly);
  }
}

/**
 * Serves an assembly until `stop`.
 * @param args more arguments of `sliced-inference local`
 */
export async function serve(assembly: string, args: readonly string[] = []): Promise<Served> {
  const file = path.join(temporaryFolder(), 'cloud.env');
  let child: ChildProcess | undefined;
  let result: CliResult | undefined;
  const ended = cli(['local', assembly, '--write-env', file, ...args], {
    onStart: (started) => (child = started),
  });
  void ended.then((end) => (result = end));
  await until('the variables', () => {
    if (result !== undefined) throw new Error(result.stderr);
    return Promise.resolve(fs.existsSync(file));
  });
  const sourced = execFileSync('sh', ['-c', `. "${file}"; env -0`], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  const environment = Object.fromEntries(
    sourced.split('\0').map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]),
  );
  return {
    environment,
    stop: async () => {
      child?.kill('SIGTERM');
      return await ended;
    },
  };
}
