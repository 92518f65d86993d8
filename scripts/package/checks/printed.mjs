// Compares what a command printed with what a document shows.

/** Lines that appear on some machines, or in some runs. The documents do not show them. */
const INCIDENTAL = [
  // `run` writes it if the Node.js that the functions declare is not installed.
  /^note: the function '[^']+' declares nodejs\d+\.x, got no Node\.js [^\n]+\n/gm,
  // Of the AWS SDK, on a Node.js whose support ends.
  /^\(node:\d+\) [^\n]*NodeVersionSupportWarning:[\s\S]*?\n\(Use `node --trace-warnings [^\n]+\n/gm,
  // Bash reports a stopped job before its next prompt, or at its end, or not at all: it depends on when the process ends.
  /^\[\d+\][+-]? +Terminated [^\n]+\n/gm,
];

/**
 * @typedef {object} Shown what a document shows
 * @property {string} place
 * @property {string[]} lines `…` stands for any text, and a line of `…` for any lines
 * @property {boolean} isWhole whether these are all lines, or some that follow each other
 * @property {boolean} numbersVary whether other numbers may stand where the document has numbers
 */

/**
 * @param {string} command
 * @param {Shown} shown
 * @param {string} printed
 * @throws Error if the command printed something else
 */
export function compare(command, shown, printed) {
  const independent = INCIDENTAL.reduce((text, lines) => text.replaceAll(lines, ''), printed);
  if (patternOf(shown).test(independent)) return;
  throw new Error(
    `${shown.place}: \`${command}\` must print\n${shown.lines.join('\n')}\ngot\n${independent.trim()}\ncorrect the document`,
  );
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

/** Numbers of another length also move the columns of a table. */
function withAnyNumbers(pattern) {
  return pattern.replaceAll(/\d+(?:(?:\\\.|,)\d+)*/g, '\\d[\\d.,]*').replaceAll(/ +(?!\\t)/g, ' +');
}
