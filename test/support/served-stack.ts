/** Serves stacks with `sliced-inference local` in a process of its own, as a user does. */
import type { ChildProcess } from 'node:child_process';
import { cli, type CliResult } from './run-cli';

export interface Serving {
  /** What the command printed. */
  readonly text: string;
  /** Sends signals and returns how the command ended. */
  stop(...signals: NodeJS.Signals[]): Promise<CliResult>;
}

/** Starts the command, and waits until it has printed all of its output. */
export async function serve(args: readonly string[]): Promise<Serving> {
  let text = '';
  let child: ChildProcess | undefined;
  let ended: Promise<CliResult> | undefined;
  await new Promise<void>((resolve, reject) => {
    ended = cli(['local', ...args], {
      onStart: (started) => {
        child = started;
        started.stdout?.on('data', (part: Buffer) => {
          text += part.toString();
          if (/^(# ready.*|\}|the pipeline in .*)\n$/m.test(text)) resolve();
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
    text,
    stop: async (...signals) => {
      for (const signal of signals) running.kill(signal);
      return await end;
    },
  };
}
