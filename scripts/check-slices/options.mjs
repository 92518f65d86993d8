/** The flags of the check of slices. */
import * as fs from 'node:fs';
import { parseArgs } from 'node:util';

const LEVELS = ['none', 'basic', 'extended'];
const MAX_SLICES = 10_000;

/**
 * @returns the numbers of slices `counts`, `limit`, `optimization`, `atLeast` as a share from 0 to 1, `json`, `help`, and the
 * `locations` of models
 * @throws Error of one line for an unknown flag and for a bad value
 */
export function readOptions(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      slices: { type: 'string', default: '2,3,4' },
      limit: { type: 'string', default: '64' },
      optimize: { type: 'string', default: 'none' },
      'at-least': { type: 'string', default: '0.97' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (!LEVELS.includes(values.optimize))
    throw new Error(`--optimize must be one of ${LEVELS.join(', ')}, got '${values.optimize}'`);
  const missing = positionals.find((location) => !fs.existsSync(location));
  if (missing !== undefined) throw new Error(`a model must be a file or a folder, got '${missing}'`);
  return {
    counts: values.slices.split(',').map((text) => wholeNumber('--slices', text)),
    limit: wholeNumber('--limit', values.limit),
    optimization: values.optimize,
    atLeast: share('--at-least', values['at-least']),
    json: values.json,
    help: values.help,
    locations: positionals,
  };
}

function wholeNumber(flag, text) {
  const number = /^\d{1,6}$/.test(text.trim()) ? Number(text) : 0;
  if (number < 1 || number > MAX_SLICES)
    throw new Error(`${flag} must be a whole number from 1 to ${MAX_SLICES}, got '${text}'`);
  return number;
}

function share(flag, text) {
  const number = /^\d*\.?\d+$/.test(text.trim()) ? Number(text) : NaN;
  if (!(number >= 0 && number <= 1))
    throw new Error(`${flag} must be a share from 0 to 1, such as 0.95, got '${text}'`);
  return number;
}
