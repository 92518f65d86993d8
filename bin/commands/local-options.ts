/** The flags of `run` and `local` for delays and faults of the local cloud. One seed draws both. */
import { type Command, Option } from 'commander';
import { type LocalCloud, type LocalCloudOptions, SIMULATION_NAMES, type SimulationName } from '../../local';
import { parseFaultRates } from '../../local/faults/injector';
import { printLine } from '../terminal/print';
import { wholeNumber } from './search-options';

export interface LocalOptions {
  readonly pipeline?: string;
  readonly simulate: SimulationName;
  readonly faults?: string;
  readonly seed?: number;
}

export function addLocalOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--simulate <name>',
        'slow S3, cold starts and state transitions down to about their speed on AWS',
      )
        .choices(SIMULATION_NAMES)
        .default('none'),
    )
    .option('--faults <kind:rate,...>', 'inject faults, such as all:0.02 or s3-503:0.1,flipped-bit:0.01')
    .option('--seed <n>', 'seed of the faults and of the simulated delays (default: 0)', wholeNumber());
}

/** @throws LocalCloudError for an unknown kind of fault or a bad rate */
export function cloudOptions({ pipeline, faults, simulate, seed = 0 }: LocalOptions): LocalCloudOptions {
  return {
    ...{ simulation: simulate, simulationSeed: seed },
    ...(pipeline !== undefined && { pipeline }),
    ...(faults !== undefined && { faults: { seed, rates: parseFaultRates(faults) } }),
  };
}

/** Writes a line such as `faults: 2 s3-503, 1 reset`; nothing without `--faults`. */
export function reportFaults(cloud: LocalCloud, { faults }: LocalOptions): void {
  if (faults === undefined) return;
  const met = [...cloud.faults()].filter(([, count]) => count > 0).map(([kind, count]) => `${count} ${kind}`);
  printLine(`faults: ${met.length === 0 ? 'none' : met.join(', ')}`);
}
