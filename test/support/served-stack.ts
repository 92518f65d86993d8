/** Serves a stack with `sliced-inference local` in a process of its own, as a user does. */
import type { ChildProcess } from 'node:child_process';
import { cli, type CliResult } from './run-cli';

/** What the command prints with `--json`. */
interface Printed {
  readonly pipelines: readonly { readonly stateMachineArn: string; readonly bucket: string }[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface ServedStack extends Printed {
  /** ARN of the state machine whose name has this text. */
  arn(text: string): string;
  stop(): Promise<CliResult>;
}

/** @param pipeline to choose, because the stack has several */
export async function serveStack(assembly: string, pipeline: string): Promise<ServedStack> {
  let child: ChildProcess | undefined;
  let ended: Promise<CliResult> | undefined;
  const printed = await new Promise<Printed>((resolve, reject) => {
    let text = '';
    ended = cli(['local', assembly, '--pipeline', pipeline, '--json'], {
      onStart: (started) => {
        child = started;
        started.stdout?.on('data', (part: Buffer) => {
          text += part.toString();
          if (text.endsWith('\n}\n')) resolve(JSON.parse(text) as Printed);
        });
      },
    });
    void ended.then(({ stderr }) => {
      reject(new Error(`the command ended: ${stderr}`));
    });
  });
  if (child === undefined || ended === undefined) throw new Error('the command has not started');
  const [running, end] = [child, ended];
  return {
    ...printed,
    arn: (text) => {
      const found = printed.pipelines.find(({ stateMachineArn }) => stateMachineArn.includes(text));
      if (found === undefined) throw new Error(`there is no state machine ${text}`);
      return found.stateMachineArn;
    },
    stop: async () => {
      running.kill('SIGTERM');
      return await end;
    },
  };
}
