/** `--faults` and `--seed`: the faults that a pipeline meets in the local cloud. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { LocalCloud, LocalCloudOptions } from '../../local';
import { SlicedInferenceError } from '../../lib/errors';
import { parseFaultRates } from '../../local/faults/parse-rates';
import { wholeNumber } from './slicing-options';

export interface FaultsOptions {
  readonly faults?: string;
  readonly seed?: number;
}

const FLAG = '--faults <kind:rate,...>';

export function addFaultsOptions(command: Command): Command {
  return command
    .addOption(new Option(FLAG, 'inject faults, such as all:0.02 or s3-503:0.1,flipped-bit:0.01'))
    .addOption(new Option('--seed <n>', 'seed of the faults (default: 0)').argParser(wholeNumber));
}

/** @throws LocalCloudError for an unknown kind or a bad rate; SlicedInferenceError for a seed without faults */
export function faultsOf({ faults, seed }: FaultsOptions): Pick<LocalCloudOptions, 'faults'> {
  if (faults !== undefined) return { faults: { seed: seed ?? 0, rates: parseFaultRates(faults) } };
  if (seed === undefined) return {};
  throw new SlicedInferenceError(
    '--seed must come with --faults',
    'none',
    'add it, such as --faults all:0.02',
  );
}

/** Such as `faults: 2 s3-503, 1 reset`; empty without `--faults`. */
export function describeFaults(cloud: LocalCloud, { faults }: FaultsOptions): string {
  if (faults === undefined) return '';
  const met = [...cloud.faults()].filter(([, count]) => count > 0).map(([kind, count]) => `${count} ${kind}`);
  return `faults: ${met.length === 0 ? 'none' : met.join(', ')}\n`;
}
