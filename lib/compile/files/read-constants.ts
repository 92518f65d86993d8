/** Reads the files of `--prices` and `--environment`. Their content may come from a stranger; `cost/constants/` checks it. */
import { MAX_CONSTANTS_BYTES, parseConstants } from '../../cost/constants/constants-file';
import { type ValuesOf, valuesOf } from '../../cost/constants/constant';
import { type Environment, ENVIRONMENT, PRICES, environmentOf } from '../../cost/constants/defaults';
import { readText } from '../../host/read-text';

/** The file replaces some of the prices. */
export function readPrices(path: string): ValuesOf<typeof PRICES> {
  return valuesOf(parseConstants(textOf(path, 'prices'), path, 'prices', PRICES));
}

export function readEnvironment(path: string): Environment {
  return environmentOf(parseConstants(textOf(path, 'environment'), path, 'environment', ENVIRONMENT));
}

function textOf(path: string, kind: 'prices' | 'environment'): string {
  return readText(path, `${kind} file`, MAX_CONSTANTS_BYTES, 'pass the path of a JSON file');
}
