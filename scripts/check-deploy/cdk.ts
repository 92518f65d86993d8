/** CDK's command line, as a user runs it. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ACCOUNT, asRoot, REGION, type MiniStack } from './ministack';
import { Program } from './processes';
import { ROOT } from './repository';

/** A deployment of a hundred slices takes some minutes on two cores. */
const SECONDS = 900;

export interface App {
  /** What `--app` is: a command, or the folder of an assembly. */
  readonly app: string;
  readonly cwd: string;
  readonly variables?: NodeJS.ProcessEnv;
  /** Makes the assembly before each deployment, if `app` is its folder. */
  readonly synthesize?: () => void;
}

export class Cdk {
  constructor(private readonly ministack: MiniStack) {}

  async bootstrap(folder: string): Promise<void> {
    await this.run(['bootstrap', `aws://${ACCOUNT}/${REGION}`], { app: '', cwd: folder });
  }

  /** Returns the outputs of the stack. */
  async deploy(stack: string, app: App): Promise<Readonly<Record<string, string>>> {
    app.synthesize?.();
    const file = path.join(app.cwd, 'outputs.json');
    await this.run(
      ['deploy', stack, '--app', app.app, '--require-approval', 'never', '--outputs-file', file],
      app,
    );
    const outputs = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, Record<string, string>>;
    return outputs[stack] ?? {};
  }

  async destroy(stack: string, app: App): Promise<void> {
    await this.run(['destroy', stack, '--app', app.app, '--force'], app);
  }

  private async run(args: readonly string[], { cwd, variables }: App): Promise<void> {
    const program = path.join(ROOT, 'node_modules/aws-cdk/bin/cdk');
    const env = {
      ...asRoot(this.ministack),
      ...{ HOME: process.env.HOME, CDK_DISABLE_CLI_TELEMETRY: 'true', CDK_DISABLE_VERSION_CHECK: '1' },
      ...variables,
    };
    const command = new Program(process.execPath, [program, ...args, '--no-notices'], { cwd, env });
    command.child.stdin.end();
    await command.succeeds(SECONDS);
  }
}
