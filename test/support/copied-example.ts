/** Follows an example in a copy of its folder, where its scripts find its files, and compares with its README. */
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { Example } from './example';

/** How a program ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class CopiedExample extends Example {
  constructor(name: string) {
    super(name);
    fs.cpSync(path.join(__dirname, '../../examples', name), this.folder, { recursive: true });
  }

  /** Runs a script of the example, which may fail. */
  async outcome(
    script: string,
    args: readonly string[] = [],
    environment: NodeJS.ProcessEnv = process.env,
  ): Promise<Outcome> {
    return await outcomeOf(this.run(script, args, environment));
  }

  /** Runs a shell command in the folder. It may fail. */
  async shell(command: string, environment: NodeJS.ProcessEnv): Promise<Outcome> {
    return await outcomeOf(
      promisify(execFile)('sh', ['-c', command], { cwd: this.folder, env: environment }),
    );
  }

  /** What the README shows below the line `$ command`, up to the next command or the end of the block. */
  printed(command: string): string {
    const readme = fs.readFileSync(path.join(this.folder, 'README.md'), 'utf8');
    const line = `\n$ ${command}\n`;
    const at = readme.indexOf(line);
    if (at < 0) throw new Error(`the README must show the command: ${command}`);
    const after = readme.slice(at + line.length);
    return after.slice(0, after.search(/^(\$ |```)/m));
  }
}

async function outcomeOf(running: Promise<Omit<Outcome, 'code'>>): Promise<Outcome> {
  try {
    return { code: 0, ...(await running) };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as Partial<Outcome>;
    // A program that did not start has a text as its code.
    if (typeof code !== 'number') throw error;
    return { code, stdout, stderr };
  }
}
