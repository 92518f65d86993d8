// Follows a document as its reader does: writes the files that it shows, runs its commands in one shell, and compares what
// they print with what the document says.
//
//   ```ts file=app.ts     a file (any language); the reader saves it under this name
//   ```sh                 commands without output
//   ```console            commands after `$ `, and what they print
//
// In the output, `…` stands for any text, and a line of `…` for any lines. Blocks of other languages, such as `bash`, are
// for machines with an AWS account or with Python: nothing follows them.
import * as fs from 'node:fs';
import * as path from 'node:path';

const FENCE = /^```(\w+)(?: file=(\S+))?[^\n]*\n([\s\S]*?)^```$/gm;

/** Separates the outputs of steps: the ASCII control character "record separator". */
const SEPARATOR = '\x1e';

/** Depends on the machine: `run` writes it if the Node.js that the functions declare is not installed. */
const MISSING_NODE = /^note: the function '[^']+' declares nodejs\d+\.x, got no Node\.js [^\n]+\n/gm;

/** With job control, each command in the background has a process group, which ends with all that npx has started. */
const PROLOGUE = `set -em
trap 'for job in $(jobs -p); do kill -- "-$job"; done; wait' EXIT
`;

/**
 * @typedef {{ place: string, command: string, output: string[] | undefined }} Command
 * @typedef {{ place: string, file: string, text: string }} ShownFile
 */

/**
 * Takes a document apart, in its order.
 *
 * @param {string} name the document's name, for messages
 * @param {string} markdown
 * @returns {(Command | ShownFile)[]}
 */
export function stepsOf(name, markdown) {
  return [...markdown.matchAll(FENCE)].flatMap(({ 1: language, 2: file, 3: text, index }) => {
    const place = `${name}:${markdown.slice(0, index).split('\n').length}`;
    if (file !== undefined) return [{ place, file, text }];
    if (language === 'sh') return [{ place, command: text.trimEnd(), output: undefined }];
    return language === 'console' ? consoleSteps(place, text) : [];
  });
}

function consoleSteps(place, text) {
  if (!text.startsWith('$ ')) throw new Error(`${place} must begin with a command after \`$ \`, got none`);
  return text
    .trimEnd()
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command, ...output] = part.trimEnd().split('\n');
      return { place, command, output };
    });
}

/**
 * Runs all steps. Files appear when their turn comes.
 *
 * @param {import('./app.mjs').App} app where the commands run
 * @param {(Command | ShownFile)[]} steps
 * @returns {number} seconds that the commands took
 * @throws Error with the step that failed or printed something else
 */
export function follow(app, steps) {
  const script = steps.map(
    (step, at) => `printf '\\n${SEPARATOR}%s\\n' "$SECONDS"\n${shellOf(step, at, app)}\n`,
  );
  const { status, stdout } = app.spawn('bash', [
    '-c',
    `exec 2>&1\n${PROLOGUE}${script.join('')}printf '\\n${SEPARATOR}%s\\n' "$SECONDS"`,
  ]);
  const results = stdout.split(SEPARATOR).slice(1).map(parseResult);
  const ran = results.length - 1;
  if (status !== 0) {
    const { place, command } = steps[ran] ?? steps.at(-1);
    throw new Error(
      `${place}: \`${command}\` must succeed, got exit code ${status}:\n${results[ran]?.output}`,
    );
  }
  steps.forEach((step, at) => {
    if (step.command === undefined) return;
    console.log(
      `${String(results[at + 1].second - results[at].second).padStart(4)} s  ${step.command.split('\n')[0]}`,
    );
    if (step.output !== undefined) compare(step, results[at].output);
  });
  return results.at(-1).second;
}

function shellOf(step, at, app) {
  if (step.command !== undefined) return step.command;
  const saved = path.join(app.folder, `.step-${at}`);
  fs.writeFileSync(saved, step.text);
  return `mv '${saved}' '${path.join(app.folder, step.file)}'`;
}

function parseResult(part) {
  const end = part.indexOf('\n');
  return { second: Number(part.slice(0, end)), output: part.slice(end + 1) };
}

function compare({ place, command, output }, printed) {
  if (patternOf(output).test(printed.replaceAll(MISSING_NODE, ''))) return;
  throw new Error(
    `${place}: \`${command}\` must print\n${output.join('\n')}\ngot\n${printed.trim()}\ncorrect the document`,
  );
}

/**
 * What a command must print, as a regular expression.
 *
 * @param {string[]} output lines of the document
 */
export function patternOf(output) {
  const lines = output.map((line) =>
    line === '…'
      ? '(?:.*\\n)*?'
      : `${line
          .split('…')
          .map((text) => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&'))
          .join('.*')}[ \\t]*\\n`,
  );
  return new RegExp(`^\\s*${lines.join('')}\\s*$`);
}
