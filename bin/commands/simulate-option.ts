/** `--simulate`: names of delays that the local cloud adds. */
import { InvalidArgumentError, Option } from 'commander';
import { type LocalCloudOptions, SIMULATION_NAMES, type SimulationName } from '../../local';

export interface SimulateOptions {
  readonly simulate: readonly SimulationName[];
  readonly seed?: number;
}

export function simulateOption(): Option {
  return new Option(
    '--simulate <names>',
    `slow S3, cold starts and state transitions down to about their speed on AWS: one or more of ${SIMULATION_NAMES.join(', ')}`,
  )
    .argParser(readNames)
    .default(['none'], 'none');
}

/** The same seed draws the same delays. */
export function simulationOf({
  simulate,
  seed = 0,
}: SimulateOptions): Pick<LocalCloudOptions, 'simulation' | 'simulationSeed'> {
  return { simulation: simulate, simulationSeed: seed };
}

/** Whether delays are added. */
export function isSimulated({ simulate }: Pick<SimulateOptions, 'simulate'>): boolean {
  return simulate.some((name) => name !== 'none');
}

/** The names as the user wrote them. */
export function simulatedLabel({ simulate }: Pick<SimulateOptions, 'simulate'>): string {
  return simulate.join(',');
}

function readNames(text: string): SimulationName[] {
  return text.split(',').map((name) => {
    const known = SIMULATION_NAMES.find((own) => own === name.trim());
    if (known !== undefined) return known;
    throw new InvalidArgumentError(
      `expected one or more of ${SIMULATION_NAMES.join(', ')}, separated by commas, got '${name}': choose others.`,
    );
  });
}
