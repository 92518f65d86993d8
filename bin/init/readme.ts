/** The README.md of an app: its files, and the commands in the order of their use. */
import { escaped } from '../../lib/errors';
import type { AppModel } from './app-model';
import { inWords } from './typescript';
import { code, quotedForShell } from '../terminal/literals';

export type AppLanguage = 'typescript' | 'python';

/** How an app is installed, tested and called. `enter` begins a command in a new shell. */
export type AppCommands = Readonly<Record<'install' | 'test' | 'cdk' | 'command' | 'enter' | 'call', string>>;

export const COMMANDS: Readonly<Record<AppLanguage, AppCommands>> = {
  typescript: {
    install: 'npm install',
    test: 'npm test',
    cdk: 'npx cdk',
    command: 'npx sliced-inference',
    enter: '',
    call: 'node call.mjs',
  },
  python: {
    install: 'python3 -m venv .venv && . .venv/bin/activate\npip install -r requirements.txt',
    test: 'pytest',
    cdk: 'npx --yes aws-cdk@2',
    command: 'sliced-inference',
    enter: '. .venv/bin/activate && ',
    call: 'python call.py',
  },
};

export function readme(
  { names, path, hub, construct, verdict }: AppModel,
  language: AppLanguage,
  commands: AppCommands,
): string {
  const { install, test, cdk, command, enter, call } = commands;
  const [stack, snapshot] =
    language === 'python'
      ? [`${names.module}_stack.py`, 'snapshot.json']
      : [`${names.file}-stack.ts`, '__snapshots__'];
  let download = '';
  if (hub)
    download = `
The path is that of your cache of the Hugging Face hub. On another machine, download the model with the hub's command line and change the path:

\`\`\`sh
hf download ${hub.repository} ${quotedForShell(hub.file)} --revision ${hub.revision}
\`\`\`
`;
  return `# ${names.stack}

This CDK app runs an ONNX model as ${inWords(construct)}. The model is ${code(path)}. \`${stack}\` has this path, and the sizes of your
requests. At the time of \`init\`: ${escaped(verdict)}.
${download}
\`\`\`sh
${install}
${cdk} synth --quiet
${test}
\`\`\`

Synthesis cuts the model, and writes \`cdk.out\`. The test compares the stack with \`${snapshot}\`: commit it.

Run it on this machine, without an AWS account:

\`\`\`sh
${command} local cdk.out --write-env cloud.env
\`\`\`

In another shell, call it. \`cloud_down\` stops the local cloud, and gives the shell its variables back:

\`\`\`sh
${enter}. ./cloud.env && ${call}
cloud_down
\`\`\`

Deploy it with credentials of an AWS account, in a shell without these variables. \`bootstrap\` is for the first time in an account and region.
\`deploy\` prints the ARN of the model:

\`\`\`sh
${enter}${cdk} bootstrap
${cdk} deploy
STATE_MACHINE_ARN=arn:aws:… ${call}
${cdk} destroy
\`\`\`
`;
}
