/** A pipeline of one function that does what its request asks for, to reach the limits of Lambda in the local cloud. */
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { type ExecutionResult, type Json, type LocalCloudOptions, LocalCloud } from '../../local';
import { PipelineStack, synthesize } from './pipeline-app';

/** Each request has one of these fields. */
const HANDLER = `
const fs = require('node:fs'), os = require('node:os'), path = require('node:path');
let kept = [];
const MEGABYTE = 1024 * 1024;
const ACTIONS = {
  allocate: (megabytes) => { kept.push(Buffer.alloc(megabytes * MEGABYTE, 1)); },
  // In a process of its own, which must not end before its memory is noticed.
  allocateInChild: (megabytes) => new Promise((resolve) => {
    const program = 'globalThis.kept = Buffer.alloc(' + megabytes * MEGABYTE + ', 1); setInterval(() => {}, 1e6)';
    require('node:child_process').spawn(process.execPath, ['-e', program], { stdio: 'inherit' }).on('exit', resolve);
  }),
  fill: async ([megabytes, bytes]) => {
    const file = path.join(os.tmpdir(), 'large');
    const handle = await fs.promises.open(file, 'w');
    const chunk = Buffer.alloc(8 * MEGABYTE);
    try {
      for (let left = megabytes; left > 0; left -= 8) await handle.write(chunk);
      await handle.write(Buffer.alloc(bytes));
      return (await handle.stat()).size;
    } finally {
      await handle.close();
      fs.rmSync(file);
    }
  },
  hang: () => new Promise(() => setInterval(() => {}, 1e6)),
  respond: (bytes) => 'x'.repeat(bytes - 2),
  ignore: () => 'ignored',
  // Ends when 'go' exists in the folder.
  meet: async (folder) => {
    fs.writeFileSync(path.join(folder, 'arrived'), '');
    while (!fs.existsSync(path.join(folder, 'go'))) await new Promise((resolve) => setTimeout(resolve, 5));
  },
};
exports.handler = async ({ request }) => {
  const [[action, argument]] = Object.entries(request);
  return ACTIONS[action](argument);
};`;

/** @param properties of the function in the template */
export function limitedAssembly(properties: Readonly<Record<string, unknown>> = {}): string {
  return synthesize((app) => {
    const { slice } = new PipelineStack(app, 'Limited', { source: HANDLER });
    const resource = slice.node.defaultChild as CfnFunction;
    resource.addPropertyOverride('Timeout', 60);
    for (const [name, value] of Object.entries(properties)) resource.addPropertyOverride(name, value);
    resource.addPropertyDeletionOverride('Environment.Variables.BUCKET');
  });
}

export class LimitedFunction {
  readonly lines: string[] = [];
  private cloud: LocalCloud | undefined;

  static async start(assembly: string, options: LocalCloudOptions = {}): Promise<LimitedFunction> {
    const limited = new LimitedFunction();
    limited.cloud = await LocalCloud.start(assembly, {
      ...options,
      onLog: (_, line) => limited.lines.push(line),
    });
    return limited;
  }

  async execute(request: Json): Promise<ExecutionResult> {
    if (this.cloud === undefined) throw new Error('start the function first');
    return await this.cloud.execute(request);
  }

  async close(): Promise<void> {
    await this.cloud?.close();
  }
}

/** The error and the parsed cause of a failed execution. */
export function failureOf(result: ExecutionResult): { error: string; cause: Record<string, unknown> } {
  if (result.status === 'SUCCEEDED') throw new Error('the execution did not fail');
  return { error: result.error, cause: JSON.parse(result.cause) as Record<string, unknown> };
}
