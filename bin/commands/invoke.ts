/** `sliced-inference invoke`: calls a deployed pipeline, on AWS or in the local cloud. */
import * as fs from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type ResultsPlace, SlicedInferenceClient } from '../../client';
import { isFunctionArn } from '../../client/aws/functions';
import { parseStateMachineArn } from '../../client/description/descriptions';
import { MAX_TIMER_MS } from '../../client/run/wait';
import { SlicedInferenceError, quoted } from '../../lib/errors';
import { callWithJson, callWithTensors } from '../invoke/call';
import { callFailure } from '../invoke/call-failure';
import { addInputOptions, checkInputOptions, readJson, type InvokeOptions } from '../invoke/inputs';
import { Waiting } from '../invoke/waiting';
import { laidOut } from '../terminal/help';
import { printLine } from '../terminal/print';
import { clearProgress } from '../terminal/progress';
import { milliseconds } from './quantities';

const HELP = `
Needs the ARN of the state machine alone, and the permissions of pipeline.grantInvoke. Small inputs travel inside the
request, others through the pipeline's bucket. Credentials, region and endpoints are those of the AWS SDK: the variables of
\`sliced-inference local --write-env\` make the command call the local cloud. Ctrl-C ends the wait; a Standard execution goes
on unless --stop-on-abort is set.

Examples:
  $ sliced-inference invoke --state-machine "$ARN" --inputs x.npz --out y.npz
  $ sliced-inference invoke --state-machine "$ARN" --inputs x.json --timeout 2m
  $ sliced-inference invoke --state-machine "$ARN" --inputs x.npz --repeat 21
  $ sliced-inference invoke --state-machine "$ARN" --input-json '{"id": 7}'
  $ . ./cloud.env && sliced-inference invoke --inputs x.safetensors`;

export function invokeCommand(): Command {
  const command = new Command('invoke')
    .description('call a deployed pipeline, on AWS or locally')
    .addOption(
      new Option('--state-machine <arn>', "ARN of the pipeline's state machine, or of a function").env(
        'STATE_MACHINE_ARN',
      ),
    );
  return addInputOptions(command)
    .addOption(
      new Option(
        '--results <place>',
        'where results come from: small ones from the output (auto), all from S3 (s3), all from the output (inline)',
      )
        .choices(['auto', 's3', 'inline'] satisfies ResultsPlace[])
        .conflicts('inputJson'),
    )
    .option(
      '--out <file>',
      'file for the outputs: .safetensors, .npz or .json (default: a summary is printed)',
    )
    .option('--json', "print the execution's output as JSON")
    .option(
      '--timeout <time>',
      "longest wait in all, such as 30s or 10m (default: the state machine's timeout and a minute)",
      waitTime,
    )
    .option(
      '--stop-on-abort',
      'if the wait ends early, also stop the execution, which must be a Standard one',
    )
    .addHelpText('after', laidOut(HELP))
    .action(invoke);
}

async function invoke(options: InvokeOptions): Promise<void> {
  const { stateMachine = '' } = options;
  const stateMachineArn = isFunctionArn(stateMachine) ? stateMachine : checkedArn(stateMachine);
  checkInputOptions('invoke', options);
  if (options.inputs !== undefined && !fs.existsSync(options.inputs)) {
    const got = quoted(options.inputs);
    throw new SlicedInferenceError('--inputs must name a file', got, 'check the path');
  }
  const input = options.inputJson === undefined ? undefined : readJson(options.inputJson);
  const model = new SlicedInferenceClient({ stateMachineArn });
  const waiting = new Waiting(options);
  const call = { model, options, waiting };
  try {
    if (options.inputs === undefined) await callWithJson(call, input);
    else await callWithTensors(call, options.inputs);
  } catch (error) {
    clearProgress();
    if (waiting.explainInterruption(error)) return;
    const failure = callFailure(error, waiting.place);
    if (failure === undefined) throw error;
    printLine(failure.line);
    process.exitCode = failure.exitCode;
  } finally {
    waiting.end();
    await model.close();
  }
}

/** @throws SlicedInferenceError without an ARN */
export function checkedArn(stateMachine = '', flag = '--state-machine'): string {
  try {
    parseStateMachineArn(stateMachine);
    return stateMachine;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new SlicedInferenceError(
      `${flag} must be the ARN of a state machine`,
      stateMachine === '' ? 'none' : quoted(stateMachine),
      'copy it from the outputs of the stack, or set STATE_MACHINE_ARN, for a local cloud with `. ./cloud.env`',
    );
  }
}

function waitTime(text: string): number {
  const time = Math.ceil(milliseconds(text));
  if (time <= MAX_TIMER_MS) return time;
  throw new InvalidArgumentError('It must be at most 24 days.');
}
