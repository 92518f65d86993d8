/** Reads the files of `--prices` and `--environment`. Their content may come from a stranger; `cost/constants/` checks it. */
import { MAX_CONSTANTS_BYTES, parseConstants } from '../../cost/constants/constants-file';
import { ENVIRONMENT, PRICES } from '../../cost/constants/defaults';
import { readText } from '../../host/read-text';

/** Prices with their sources; the file replaces some of them. `valuesOf` returns what the model of cost takes. */
export type PriceConstants = typeof PRICES;
export type EnvironmentConstants = typeof ENVIRONMENT;

export function readPrices(path: string): PriceConstants {
  return parseConstants(textOf(path, 'prices'), path, 'prices', PRICES);
}

export function readEnvironment(path: string): EnvironmentConstants {
  return parseConstants(textOf(path, 'environment'), path, 'environment', ENVIRONMENT);
}

function textOf(path: string, kind: 'prices' | 'environment'): string {
  return readText(path, `${kind} file`, MAX_CONSTANTS_BYTES, 'pass the path of a JSON file');
}
