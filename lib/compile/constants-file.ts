/** Reads the files of `--prices` and `--environment`. Their content may come from a stranger; `cost/constants/` checks it. */
import * as fs from 'node:fs';
import type { ConstantsKind } from '../cost/constants/constants-file';
import { MAX_CONSTANTS_BYTES, parseConstants } from '../cost/constants/constants-file';
import { ENVIRONMENT } from '../cost/constants/environment';
import { PRICES } from '../cost/constants/prices';
import { SlicedInferenceError, quoted } from '../errors';
import { unreadablePath } from '../host/foreign-path';

/** Prices with their sources; the file replaces some of them. `valuesOf` returns what the model of cost takes. */
export type PriceConstants = typeof PRICES;
export type EnvironmentConstants = typeof ENVIRONMENT;

/** @throws SlicedInferenceError for a file that cannot be read or is not a file of prices */
export function readPrices(path: string): PriceConstants {
  return parseConstants(readText(path, 'prices'), path, 'prices', PRICES);
}

/** @throws SlicedInferenceError for a file that cannot be read or does not describe an environment */
export function readEnvironment(path: string): EnvironmentConstants {
  return parseConstants(readText(path, 'environment'), path, 'environment', ENVIRONMENT);
}

function readText(path: string, kind: ConstantsKind): string {
  const file = `${kind} file ${quoted(path)}`;
  try {
    const stat = fs.statSync(path);
    // Reading a pipe would wait for its writer, and a device may have no end.
    if (!stat.isFile()) {
      const got = stat.isDirectory() ? 'a folder' : 'a pipe or a device';
      throw new SlicedInferenceError(`${file} must be a file`, got, 'pass the path of a JSON file');
    }
    if (stat.size > MAX_CONSTANTS_BYTES) {
      throw new SlicedInferenceError(
        `${file} must have at most ${MAX_CONSTANTS_BYTES} bytes`,
        `${stat.size} bytes`,
        'check the path',
      );
    }
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof SlicedInferenceError) throw error;
    const { got, advice } = unreadablePath(path, error);
    throw new SlicedInferenceError(`${file} must be readable`, got, advice);
  }
}
