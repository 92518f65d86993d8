/**
 * `npm run check:deploy`: deploys stacks with CDK's command line to MiniStack, an emulator of AWS that knows nothing of this project,
 * and compares each result with ONNX Runtime on the whole model.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command } from 'commander';
import { Cloud, Missing, pythonWithMiniStack } from './cloud';
import { live } from './life';
import { endAll } from './processes';
import { ownStacks } from './stacks';

/** A shell adds it to the number of the signal that ended a program. */
const SIGNALLED = 128;

interface Options {
  readonly all?: true;
  readonly stack?: readonly string[];
}

async function main({ all, stack }: Options): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-deploy-'));
  cleanUpAtExit(folder);
  const python = await pythonWithMiniStack();
  const subjects = ownStacks(folder).filter(({ title, isSelected }) =>
    stack ? stack.some((text) => title.includes(text)) : (all ?? isSelected),
  );
  if (subjects.length === 0)
    throw new Error(`no stack has '${stack?.join("' or '")}' in its title: see scripts/check-deploy`);
  const place = path.join(folder, 'ministack');
  fs.mkdirSync(place);
  const cloud = await Cloud.start(python, place);
  for (const subject of subjects) {
    const start = performance.now();
    const { right, failures } = await live(subject, cloud);
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log([`${subject.title}: ${right} right in ${seconds} s`, ...failures].join('\n  FAILED '));
    if (failures.size > 0) process.exitCode = 1;
  }
}

function cleanUpAtExit(folder: string): void {
  process.once('exit', () => {
    endAll();
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(SIGNALLED + os.constants.signals[signal]));
}

new Command('check:deploy')
  .description(
    'Deploys stacks to MiniStack, calls them, updates and destroys them. Exit code 1: a call or a step failed.',
  )
  .option('--all', 'all stacks, instead of a selection')
  .option('--stack <text...>', 'only stacks with one of these texts in their titles')
  .action(main)
  .parseAsync()
  .then(
    () => process.exit(),
    (error: unknown) => {
      if (error instanceof Missing) console.log(`skipped: the check of deployments: ${error.message}`);
      else console.error(error);
      process.exit(error instanceof Missing ? 0 : 1);
    },
  );
