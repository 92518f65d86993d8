/** Checks delays that a user made, so that a wrong one is refused before the first run. */
import { LocalCloudError } from '../local-cloud-error';
import type { Percentiles, Simulation } from './simulation';

/** @throws LocalCloudError for rates that are not above 0, and for distributions that are empty or fall */
export function checkSimulation(simulation: Simulation): Simulation {
  const { network, storage = {}, transitions = {} } = simulation;
  for (const name of ['connectionBytesPerSecond', 'functionBytesPerSecond'] as const) {
    if (network && !(network[name] > 0)) throw fault(`network.${name}`, 'be above 0', network[name]);
  }
  const burst = network?.burst;
  if (burst && !(burst.bytesPerSecond > 0))
    throw fault('network.burst.bytesPerSecond', 'be above 0', burst.bytesPerSecond);
  for (const [store, { get, put }] of Object.entries(storage)) {
    checkPercentiles(`storage.${store}.get`, get);
    checkPercentiles(`storage.${store}.put`, put);
  }
  for (const [type, delays] of Object.entries(transitions)) {
    if (delays.length === 0) throw fault(`transitions.${type}`, 'have one entry or more', delays);
    for (const { percentiles } of delays) checkPercentiles(`transitions.${type}`, percentiles);
  }
  return simulation;
}

function checkPercentiles(name: string, percentiles: Percentiles): void {
  const rises = percentiles.every(([percent, ms], index) => {
    const [percentBefore, msBefore] = index === 0 ? [0, 0] : percentiles[index - 1];
    return percent >= percentBefore && percent <= 100 && ms >= msBefore && Number.isFinite(ms);
  });
  if (percentiles.length > 0 && rises) return;
  throw fault(name, 'be rising pairs of a percentage and milliseconds', percentiles);
}

function fault(name: string, expected: string, got: unknown): LocalCloudError {
  return new LocalCloudError(
    `${name} of a simulation must ${expected}, got ${JSON.stringify(got)}: correct it`,
  );
}
