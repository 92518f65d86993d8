/** CDK's command line, as a user runs it. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { ACCOUNT, asRoot, REGION, type MiniStack } from './ministack';
import { ROOT, run } from './processes';

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

  async bootstrap(cwd: string): Promise<void> {
    await this.run({ cwd }, 'bootstrap', `aws://${ACCOUNT}/${REGION}`);
  }

  /** Returns the outputs of the stack. */
  async deploy(stack: string, app: App): Promise<Readonly<Record<string, string>>> {
    app.synthesize?.();
    const file = path.join(app.cwd, 'outputs.json');
    const options = ['--require-approval', 'never', '--outputs-file', file];
    await this.run(app, 'deploy', stack, '--app', app.app, ...options);
    return (JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, Record<string, string>>)[stack];
  }

  async destroy(stack: string, app: App): Promise<void> {
    await this.run(app, 'destroy', stack, '--app', app.app, '--force');
  }

  private run({ cwd, variables }: Omit<App, 'app'>, ...args: readonly string[]): Promise<string> {
    const program = path.join(ROOT, 'node_modules/aws-cdk/bin/cdk');
    const settings = { CDK_DISABLE_CLI_TELEMETRY: 'true', CDK_DISABLE_VERSION_CHECK: '1' };
    const env = { ...asRoot(this.ministack), HOME: process.env.HOME, ...settings, ...variables };
    return run(process.execPath, [program, ...args, '--no-notices'], { cwd, env, seconds: SECONDS });
  }
}
