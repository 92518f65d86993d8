/** `sliced-inference init [FOLDER] --model FILE`: writes a CDK app for a model. */
import * as path from 'node:path';
import { Command, Option } from 'commander';
import { laidOut } from '../terminal/help';
import { packageVersion } from '../../lib/host/packages';
import { type AppModel, readAppModel } from '../init/app-model';
import { quotedForShell } from '../terminal/literals';
import { type Manifest, TEST_COMMAND, TEST_SCRIPT, appManifest, libraryVersion } from '../init/manifest';
import { pythonFiles } from '../init/python';
import { type AppCommands, type AppLanguage, COMMANDS, readme } from '../init/readme';
import { typescriptFiles } from '../init/typescript';
import { projectFolder, writeProject } from '../init/write-project';
import { print, printLine } from '../terminal/print';
import { clearProgress, showProgress } from '../terminal/progress';
import { textColumns, wrapped } from '../plan/describe-report';
import { sentence } from '../plan/report/reported-alternatives';
import type { DimensionSizes } from '../../lib/shapes/value-types';
import { choice, requestsPerHourOption } from './search-options';
import { dimensionOption } from './slicing-options';

interface Options {
  readonly model: string;
  readonly language: AppLanguage;
  readonly pipeline?: boolean;
  readonly function?: boolean;
  readonly dimension: DimensionSizes;
  readonly requestsPerHour?: number;
}

const HELP = `
Writes the stack of the construct that \`plan\` recommends: one function if that is cheaper and about as fast, or else a pipeline. It also writes a call with the
names, types and shapes of the inputs, a snapshot test, and a README with the next commands.
It replaces no file. A package.json that exists gets the scripts and packages that it lacks.

Examples:
  $ sliced-inference init --model model.onnx
  $ sliced-inference init my-app --model model.onnx --language python`;

export function initCommand(): Command {
  return new Command('init')
    .description('write a small CDK app for a model, which runs as it is')
    .argument('[folder]', 'folder of the app', '.')
    .requiredOption('--model <file>', 'path of an ONNX model; it stays where it is')
    .addOption(
      choice('--language <name>', 'the language of the app', [
        'typescript',
        'python',
      ] satisfies AppLanguage[]).default('typescript'),
    )
    .addOption(new Option('--function', 'run the whole model in one function').conflicts('pipeline'))
    .option('--pipeline', 'run the model as a pipeline')
    .addOption(dimensionOption())
    .addOption(requestsPerHourOption())
    .addHelpText('after', laidOut(HELP))
    .action(init);
}

async function init(folder: string, options: Options): Promise<void> {
  const { model, language, dimension: dimensions, requestsPerHour } = options;
  const target = projectFolder(folder);
  const isPython = language === 'python';
  const manifest = isPython ? undefined : appManifest(target);
  showProgress(`reading ${model}`);
  const forced = options.pipeline ? 'SlicedInferencePipeline' : undefined;
  const construct = options.function ? 'InferenceFunction' : forced;
  const app = await readAppModel(model, target, { construct, dimensions, requestsPerHour });
  const commands = commandsOf(language, target, manifest);
  const files = {
    ...(isPython ? pythonFiles(app, packageVersion()) : typescriptFiles(app)),
    'README.md': readme(app, language, commands),
    '.gitignore': `cdk.out/\ncloud.env\n${isPython ? '.venv/\n__pycache__/\n' : 'node_modules/\n'}`,
  };
  await writeProject(target, files, manifest && { name: 'package.json', text: manifest.text });
  clearProgress();
  const verdict = `${sentence(app.verdict)} The app has the construct ${app.construct}.`;
  print(`${wrapped(verdict, textColumns(process.stdout.columns)).join('\n')}\n\n`);
  print([`written to ${folder}`, ...Object.keys(files), ...manifestLines(manifest)].join('\n  ') + '\n');
  printNotes(app, commands);
  const isInstalled = isPython && process.env.JSII_AGENT?.startsWith('Python/');
  if (!isInstalled && !manifest?.hasTarball)
    printLine(
      'note: the packages are not on npm and PyPI yet: first install what `npm run pack` writes in a clone',
    );
  print(nextCommands(folder, isInstalled ? inEnvironment(commands, target) : commands));
}

/** A script `test` that was there, such as that of `npm init`, stays. */
function commandsOf(language: AppLanguage, target: string, manifest?: Manifest): AppCommands {
  const commands = COMMANDS[language];
  if (manifest === undefined) {
    // `npm run pack` writes the wheels beside the tarball.
    const [, js = '../cdk-sliced-inference/dist/js/'] =
      /^file:(.*\/js\/)[^/]*$/.exec(libraryVersion(target)) ?? [];
    const wheels = `${quotedForShell(path.posix.join(js, '../python/'))}*.whl`;
    const pip = `\npip install ${wheels}\n`;
    return { ...commands, install: commands.install.replace('\n', () => pip) };
  }
  const hasOwnTest = manifest.added?.includes(TEST_SCRIPT) === false;
  return { ...commands, ...(hasOwnTest && { test: `npx ${TEST_COMMAND}` }) };
}

/** The commands for the environment whose Python package runs this command. */
function inEnvironment(commands: AppCommands, target: string): AppCommands {
  const { VIRTUAL_ENV: environment } = process.env;
  const activate = environment && path.join(path.relative(target, environment), 'bin/activate');
  const enter = activate ? `. ${quotedForShell(activate)} && ` : '';
  return { ...commands, install: commands.install.replace(/.*\n/s, ''), enter };
}

function manifestLines(manifest: Manifest | undefined): string[] {
  if (manifest === undefined) return [];
  const { added } = manifest;
  return [added === undefined ? 'package.json' : `package.json, with ${added.join(', ') || 'nothing new'}`];
}

function printNotes(app: AppModel, { call }: AppCommands): void {
  const { isOutside, hub, guess, refusal, valuesRefusal } = app;
  if (isOutside) {
    const advice = hub ? '; its README says how to download it again' : '';
    printLine(`note: the app refers to a model outside of its folder, ${app.path}${advice}`);
  }
  const warnings = [
    guess,
    refusal && `ONNX Runtime refuses the model with the assumed dimensions, so change them: ${refusal}`,
    valuesRefusal &&
      `the model refuses the example values of ${call.split(' ')[1]} (${valuesRefusal}): replace them before the call`,
  ];
  for (const warning of warnings) if (warning) printLine(`warning: ${warning}`);
}

function nextCommands(folder: string, { install, test, cdk, command, enter, call }: AppCommands): string {
  const place = folder === '.' ? '' : `cd ${quotedForShell(folder)} && `;
  return `next
  ${place}${install.replaceAll('\n', '\n  ')}
  ${cdk} synth --quiet && ${test}
  ${command} local cdk.out --write-env cloud.env
and in another shell
  ${place}${enter}. ./cloud.env && ${call}
`;
}
