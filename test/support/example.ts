/** Runs the examples as their READMEs say, in a copy of an example's folder and with its compiled code. */
import { type ChildProcess, execFile, execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { cli, type CliResult } from './run-cli';
import { temporaryFolder } from './temporary-folder';
import { until } from './until';

const ROOT = path.join(__dirname, '../..');

export interface ScriptResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Example {
  /** A copy of the example's folder. */
  readonly folder = path.join(temporaryFolder(), 'example');

  constructor(private readonly name: string) {
    fs.cpSync(path.join(ROOT, 'examples', name), this.folder, { recursive: true });
  }

  /** Synthesizes the app, as `cdk synth` does, and returns the folder of the assembly. */
  async synthesize(context: Readonly<Record<string, string>> = {}): Promise<string> {
    const assembly = path.join(this.folder, 'cdk.out');
    const result = await this.run('app', [], {
      ...process.env,
      CDK_OUTDIR: assembly,
      CDK_CONTEXT_JSON: JSON.stringify({ '@aws-cdk/core:validateAgainstDefaultRules': true, ...context }),
    });
    if (result.code !== 0) throw new Error(result.stderr);
    return assembly;
  }

  /** Runs a program of the example in its folder. */
  async run(
    program: string,
    args: readonly string[] = [],
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<ScriptResult> {
    const script = path.join(ROOT, 'dist/examples', this.name, `${program}.js`);
    // The SDK warns of an old Node.js.
    return await runProgram(process.execPath, ['--no-warnings', script, ...args], { cwd: this.folder, env });
  }

  /** What the example's README shows below the line `$ command`, up to the next command or the end of the block. */
  printed(command: string): string {
    const readme = fs.readFileSync(path.join(this.folder, 'README.md'), 'utf8');
    const line = `\n$ ${command}\n`;
    const at = readme.indexOf(line);
    if (at < 0) throw new Error(`the README must show the command: ${command}`);
    const after = readme.slice(at + line.length);
    return after.slice(0, after.search(/^(\$ |```)/m));
  }
}

export async function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<ScriptResult> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, options);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as Partial<ScriptResult> & Error;
    // A program that did not start has a text as its code.
    if (typeof code !== 'number') throw error;
    return { code, stdout, stderr };
  }
}

export interface ServedCloud {
  /** What the file of `--write-env` exports, and nothing else but PATH. */
  readonly environment: NodeJS.ProcessEnv;
  stop(): Promise<CliResult>;
}

/** Starts `sliced-inference local`, and waits until it serves. */
export async function serve(assembly: string, args: readonly string[] = []): Promise<ServedCloud> {
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
