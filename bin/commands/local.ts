/** `sliced-inference local ASSEMBLY`: serves S3, Step Functions, the HTTP API and URLs of a stack until it is stopped. */
import { once } from 'node:events';
import { Command, Option } from 'commander';
import { type LocalCloudOptions, LocalCloud } from '../../local';
import { EnvFile, HEADING } from '../local-cloud/env-file';
import { keptAuthority, variables } from '../local-cloud/variables';
import { TERMINATED } from '../process/exit-codes';
import { laidOut } from '../terminal/help';
import { clearProgress, showProgress } from '../terminal/progress';
import { SHELLS, type ShellName } from '../terminal/shells';
import { wholeNumber } from './search-options';
import { addLocalOptions, cloudOptions, reportFaults, type LocalOptions } from './local-options';
import { print, printCommands, printJson, printLine, printLogLine } from '../terminal/print';

interface Options extends LocalOptions {
  readonly port?: number;
  readonly shell: ShellName;
  /** Node.js itself would read `--env-file`, also after the script. */
  readonly writeEnv?: string;
  readonly logs?: boolean;
  readonly json?: boolean;
}

/** Step Functions, the HTTP API and the URL of a function take the three ports after S3's. */
const MAX_PORT = 65_532;

const HELP = `
Publishes the assembly's assets to a local S3, and serves it, the stack's state machines, its HTTP API and its
functions' URLs until you stop the command.

Prints the variables that point the AWS CLI and any AWS SDK at the local cloud, in a form that a shell evaluates. With
--write-env they go into a file, which appears when all is ready and disappears at the end. In a shell that has evaluated
the file, cloud_down stops the local cloud and gives the variables their former values.

Examples:
  $ sliced-inference local cdk.out --pipeline OcrStack/Ocr --port 9000 --logs
  $ sliced-inference local cdk.out --write-env cloud.env &
  $ until [ -e cloud.env ]; do kill -0 $! || break; sleep 1; done
  $ . ./cloud.env
  $ aws stepfunctions list-executions --state-machine-arn "$STATE_MACHINE_ARN"
  $ cloud_down`;

export function localCommand(): Command {
  const command = new Command('local')
    .description('serve a synthesized stack on this machine')
    .argument('<assembly>', 'folder that `cdk synth` wrote')
    .option(
      '--pipeline <name>',
      'the construct id, stack or stack/id of a pipeline, if the assembly has several, or of your own state machine',
    )
    .option(
      '--port <number>',
      'port of S3; Step Functions, the HTTP API and the URL of a function get the next ones (default: free ports)',
      wholeNumber(1, MAX_PORT),
    )
    .addOption(
      new Option('--shell <name>', 'the shell that will evaluate the output')
        .choices(Object.keys(SHELLS))
        .default(process.platform === 'win32' ? 'powershell' : 'sh'),
    )
    .option(
      '--write-env <file>',
      'write the variables into this file when all is ready, and remove it at the end',
    )
    .option('--logs', 'write the logs of the functions to standard error')
    .option('--json', 'print JSON');
  return addLocalOptions(command).addHelpText('after', laidOut(HELP)).action(serve);
}

async function serve(assembly: string, options: Options): Promise<void> {
  const settings = servingOptions(options);
  const envFile = options.writeEnv === undefined ? undefined : new EnvFile(options.writeEnv);
  // process.exit() also ends the functions' processes and removes all files.
  const stop = (): void => process.exit(TERMINATED);
  process.once('SIGTERM', stop);
  showProgress('publishing the assets to a local S3');
  const cloud = await LocalCloud.start(assembly, settings);
  try {
    process.off('SIGTERM', stop);
    const stopped = once(process, 'SIGTERM');
    clearProgress();
    if (envFile) await envFile.write(describe(cloud, options, envFile.target));
    printAccess(cloud, options);
    await stopped;
    reportFaults(cloud, options);
    process.exitCode = TERMINATED;
  } finally {
    envFile?.remove();
    await cloud.close();
  }
}

function servingOptions(options: Options): LocalCloudOptions {
  const { port, logs } = options;
  return {
    ...cloudOptions(options),
    onFault: ({ kind, place }) => {
      printLine(`fault: ${kind} at ${place}`);
    },
    ...(port !== undefined && {
      ports: { s3: port, stepFunctions: port + 1, http: port + 2, functionUrl: port + 3 },
    }),
    onNotice: (notice) => {
      printLine(`note: ${notice}`);
    },
    ...(logs && {
      onLog: (functionName: string, line: string) => {
        printLogLine(`${functionName}: ${line}`);
      },
    }),
  };
}

function access(cloud: LocalCloud) {
  const { pipelines, stateMachine, httpEndpoint } = cloud;
  const functionUrl = functionUrlOf(cloud);
  return {
    ...stateMachine,
    ...bucketOf(cloud),
    ...(httpEndpoint !== undefined && { httpEndpoint }),
    ...(functionUrl !== undefined && { functionUrl }),
    pipelines: pipelines.map(({ stateMachineArn, bucket }) => ({ stateMachineArn, bucket })),
    environment: variables(cloud, process.env),
  };
}

/** The bucket of the pipeline; none for a state machine of the user with several pipelines, or with none. */
function bucketOf({ pipelines, stateMachine }: LocalCloud): { readonly bucket?: string } {
  const chosen = pipelines.find(({ stateMachineArn }) => stateMachineArn === stateMachine.stateMachineArn);
  const only = pipelines.length === 1 ? pipelines[0] : chosen;
  return only === undefined ? {} : { bucket: only.bucket };
}

/** That of the chosen function, or the only one. */
function functionUrlOf({ functionUrls, stateMachine }: LocalCloud): string | undefined {
  const all = [...functionUrls.values()];
  return functionUrls.get(stateMachine.stateMachineArn) ?? (all.length === 1 ? all[0] : undefined);
}

function printAccess(cloud: LocalCloud, options: Options): void {
  const { json, writeEnv } = options;
  if (json) printJson(access(cloud));
  else if (writeEnv === undefined) printCommands(describe(cloud, options));
  else
    print(
      `the pipeline in ${cloud.stateMachine.stackName} is ready: evaluate ${writeEnv} in a shell; cloud_down ends it\n`,
    );
}

/** @param file for which the text is; otherwise it is printed */
function describe(cloud: LocalCloud, { shell }: Options, file?: string): string {
  const { stackName, stateMachineArn } = cloud.stateMachine;
  const { set, unset, keep, down } = SHELLS[shell];
  // The same names for each stack, so that the file of a second one keeps what the first one has replaced.
  const values = {
    // They would replace the credentials of the local cloud.
    ...{ AWS_PROFILE: undefined, AWS_SESSION_TOKEN: undefined },
    ...variables(cloud, process.env, file && keptAuthority(cloud, file)),
    STATE_MACHINE_ARN: stateMachineArn,
    BUCKET: bucketOf(cloud).bucket,
    HTTP_ENDPOINT: cloud.httpEndpoint,
    FUNCTION_URL: functionUrlOf(cloud),
  };
  const names = Object.keys(values);
  const end = file === undefined ? '' : ', and ends the cloud that wrote this file';
  return [
    `${HEADING}${stackName}, until you stop this command`,
    keep(names),
    ...Object.entries(values).map(([name, value]) => (value === undefined ? unset(name) : set(name, value))),
    `# cloud_down gives the variables their former values${end}`,
    down(names, file === undefined ? undefined : { pid: process.pid, file }),
    '# ready: call it with `npx sliced-inference invoke`\n',
  ].join('\n');
}
