// Follows a document as its reader does: writes the files that it shows, runs its commands in one shell, and compares what
// they print with what the document says.
//
//   ```ts file=app.ts                the reader saves the block (of any language) under this name
//   ```sh                            commands
//   ```console                       commands after `$ `, and all that they print. `…` stands for any text, a line of `…` for any lines
//   ```text of="npm run demo"        lines among those that the first command with this text prints
//
// Attributes of blocks with commands or output:
//
//   skip="needs an AWS account"      nobody runs these commands, or nobody compares this output; the reason is printed
//   needs="curl"                     nobody runs these commands if the machine has no curl
//   in="../app"                      the commands run in this folder
//   exit="1"                         the commands end with this code; they succeed by default
//   numbers="vary"                   other numbers, and bars of times, may stand where the document has some
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { blocksOf } from './fences.cjs';

/** Languages of commands. Of any other one, a reader could not tell whether something follows the block. */
const OTHER_SHELLS = ['bash', 'shell', 'zsh'];

const ATTRIBUTES = ['file', 'of', 'skip', 'needs', 'in', 'exit', 'numbers'];

/** Separates the outputs of steps: the ASCII control character "record separator". */
const SEPARATOR = '\x1e';

/** With job control, each command in the background has a process group, which ends with all that npx has started. */
const PROLOGUE = `set -em
trap 'for job in $(jobs -p); do kill -- "-$job"; done; wait' EXIT
cd_back=$PWD
`;

/** Lines that appear on some machines, or in some runs. The documents do not show them. */
const INCIDENTAL = [
  // `run` writes it if the functions declare another Node.js than that of the command.
  /^note: functions for Node\.js \d+ run with the Node\.js of this program, [\d.]+\n/gm,
  // Of the AWS SDK, on a Node.js whose support ends.
  /^\(node:\d+\) [^\n]*NodeVersionSupportWarning:[\s\S]*?\n\(Use `node --trace-warnings [^\n]+\n/gm,
  // Bash reports a stopped job before its next prompt, or at its end, or not at all: it depends on when the process ends.
  /^\[\d+\][+-]? +(?:Terminated|Exit 143) [^\n]+\n/gm,
];

/**
 * Lines that a document shows of what a command prints: all of them, or some that follow each other.
 * @typedef {{ place: string, lines: string[], isWhole: boolean, numbersVary: boolean }} Shown
 *
 * A command with what it prints, a file to save, or what nobody runs or compares, and why.
 * @typedef {{ place: string, command?: string, folder?: string, code?: string, shows?: Shown[], file?: string, text?: string, skipped?: string }} Step
 */

/**
 * Takes a document apart, in its order.
 *
 * @param {string} name the document's name, for messages
 * @param {string} markdown
 * @returns {Step[]}
 */
export function stepsOf(name, markdown) {
  const blocks = blocksOf(name, markdown);
  blocks.forEach(checkBlock);
  const steps = blocks.flatMap(({ place, language, attributes, text }) => {
    if (attributes.file !== undefined) return [{ place, file: attributes.file, text }];
    if (language === 'sh') return [commandOf(place, attributes, text.trimEnd())];
    return language === 'console' ? consoleSteps(place, attributes, text) : [];
  });
  for (const { place, attributes, text } of blocks) {
    if (attributes.of === undefined) continue;
    const printing = steps.find(({ command }) => command?.includes(attributes.of));
    if (printing === undefined)
      throw new Error(`${place} must show the output of a command, got none with \`${attributes.of}\``);
    const skipped = attributes.skip ?? printing.skipped;
    if (skipped !== undefined) steps.push({ place, skipped });
    else printing.shows.push(shownBy(place, attributes, text.trimEnd().split('\n'), false));
  }
  return steps;
}

function checkBlock({ place, language, attributes }) {
  if (OTHER_SHELLS.includes(language))
    throw new Error(
      `${place} must be \`sh\` or \`console\`, got \`${language}\`: skip it with skip="reason"`,
    );
  const unknown = Object.keys(attributes).find((name) => !ATTRIBUTES.includes(name));
  if (unknown !== undefined) throw new Error(`${place} must have attributes that exist, got '${unknown}'`);
}

function commandOf(place, attributes, command) {
  const skipped =
    attributes.skip ?? (isMissing(attributes.needs) ? `no ${attributes.needs} here` : undefined);
  return { place, command, skipped, folder: attributes.in, code: attributes.exit, shows: [] };
}

function isMissing(program) {
  return program !== undefined && spawnSync(program, ['--version'], { stdio: 'ignore' }).status !== 0;
}

function shownBy(place, attributes, lines, isWhole) {
  return { place, lines, isWhole, numbersVary: attributes.numbers === 'vary' };
}

function consoleSteps(place, attributes, text) {
  if (!text.startsWith('$ ')) throw new Error(`${place} must begin with a command after \`$ \`, got none`);
  return text
    .trimEnd()
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command, ...lines] = part.trimEnd().split('\n');
      return {
        ...commandOf(place, attributes, command),
        shows: [shownBy(place, attributes, lines, true)],
      };
    });
}

/**
 * Runs all steps but those to skip. Files appear when their turn comes.
 *
 * @param {import('./app.mjs').App} app where the commands run
 * @param {Step[]} steps
 * @returns {Promise<string[]>} a line for each step that was skipped
 * @throws Error with the step that failed or printed something else
 */
export async function follow(app, steps) {
  const taken = steps.filter(({ skipped }) => skipped === undefined);
  const script = taken.map((step, at) => `printf '\\n${SEPARATOR}\\n'\n${shellOf(step, at, app)}\n`);
  const all = `exec 2>&1\n${PROLOGUE}${script.join('')}echo`;
  const { status, stdout } = await app.start('bash', ['-c', all]);
  const outputs = stdout.split(SEPARATOR).slice(1);
  if (status !== 0) {
    const { place, command, file } = taken[outputs.length - 1];
    throw new Error(
      `${place}: \`${command ?? file}\` must succeed, got exit code ${status}:\n${outputs.at(-1).trim()}\n`,
    );
  }
  const differences = taken.flatMap((step, at) =>
    (step.shows ?? []).flatMap((shown) => differencesOf(step.command, shown, outputs[at])),
  );
  if (differences.length > 0) throw new Error(differences.join('\n\n'));
  return steps
    .filter(({ skipped }) => skipped !== undefined)
    .map(({ place, skipped }) => `  skipped ${place}: ${skipped}`);
}

function differencesOf(command, shown, printed) {
  const independent = INCIDENTAL.reduce((text, lines) => text.replaceAll(lines, ''), printed);
  if (patternOf(shown).test(independent)) return [];
  return [
    `${shown.place}: \`${command}\` must print\n${shown.lines.join('\n')}\ngot\n${independent.trim()}\ncorrect the document`,
  ];
}

function patternOf({ lines, isWhole, numbersVary }) {
  const patterns = lines.map((line) =>
    line === '…' ? '(?:.*\\n)*?' : `${line.split('…').map(literally).join('.*')}[ \\t]*\\n`,
  );
  const text = (numbersVary ? patterns.map(withAnyNumbers) : patterns).join('');
  return new RegExp(isWhole ? `^\\s*${text}\\s*$` : `^${text}`, isWhole ? '' : 'm');
}

function literally(text) {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');
}

/** Numbers of another length also move the columns of a table. Times have other units, and bars of times another length. */
function withAnyNumbers(pattern) {
  return pattern
    .replaceAll(/\d+(?:(?:\\\.|,)\d+)*/g, '\\d[\\d.,]*')
    .replaceAll(/(?<=\* )m?s\b/g, 'm?s')
    .replaceAll(/[░─█═][░─█═ ]*/g, '[░─█═ ]*')
    .replaceAll(/ +(?!\\t)/g, ' +');
}

function shellOf(step, at, app) {
  if (step.command === undefined) {
    const saved = path.join(app.folder, `.step-${at}`);
    fs.writeFileSync(saved, step.text);
    return `mv '${saved}' '${path.join(app.folder, step.file)}'`;
  }
  const command = step.code === undefined ? step.command : `${step.command} || [ $? = ${step.code} ]`;
  if (step.folder === undefined) return command;
  return `mkdir -p '${step.folder}'; cd '${step.folder}'\n${command}\ncd "$cd_back"`;
}
