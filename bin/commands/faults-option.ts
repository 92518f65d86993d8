/** `--faults` and `--seed`: the faults that a pipeline meets in the local cloud. The seed also draws simulated delays. */
import { type Command, Option } from 'commander';
import type { LocalCloud, LocalCloudOptions } from '../../local';
import { SlicedInferenceError } from '../../lib/errors';
import { parseFaultRates } from '../../local/faults/parse-rates';
import { printLine } from '../terminal/print';
import { isSimulated, type SimulateOptions } from './simulate-option';
import { wholeNumber } from './slicing-options';

export interface FaultsOptions extends SimulateOptions {
  readonly faults?: string;
}

const FLAG = '--faults <kind:rate,...>';

export function addFaultsOptions(command: Command): Command {
  return command
    .addOption(new Option(FLAG, 'inject faults, such as all:0.02 or s3-503:0.1,flipped-bit:0.01'))
    .addOption(
      new Option('--seed <n>', 'seed of the faults and of the simulated delays (default: 0)').argParser(
        wholeNumber,
      ),
    );
}

/** @throws LocalCloudError for an unknown kind or a bad rate; SlicedInferenceError for a seed of nothing */
export function faultsOf({ faults, simulate, seed }: FaultsOptions): Pick<LocalCloudOptions, 'faults'> {
  if (faults !== undefined) return { faults: { seed: seed ?? 0, rates: parseFaultRates(faults) } };
  if (seed === undefined || isSimulated({ simulate })) return {};
  throw new SlicedInferenceError(
    '--seed must come with --faults or --simulate',
    'neither',
    'add one, such as --faults all:0.02',
  );
}

/** Writes a line such as `faults: 2 s3-503, 1 reset`; nothing without `--faults`. */
export function reportFaults(cloud: LocalCloud, { faults }: FaultsOptions): void {
  if (faults === undefined) return;
  const met = [...cloud.faults()].filter(([, count]) => count > 0).map(([kind, count]) => `${count} ${kind}`);
  printLine(`faults: ${met.length === 0 ? 'none' : met.join(', ')}`);
}
