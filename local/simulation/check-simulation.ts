/** Checks delays that a user made, so that a wrong one is refused before the first run. */
import { LocalCloudError } from '../local-cloud-error';
import type { NetworkShape, Percentiles, Simulation } from './simulation';

/** @throws LocalCloudError for rates that are not above 0, and for distributions that are empty or fall */
export function checkSimulation(simulation: Simulation): Simulation {
  const { network, storage = {}, transitions = {} } = simulation;
  if (network) checkNetwork(network);
  for (const [store, delays] of Object.entries(storage)) {
    checkPercentiles(`storage.${store}.get`, delays.get);
    checkPercentiles(`storage.${store}.put`, delays.put);
  }
  for (const [type, delays] of Object.entries(transitions)) {
    if (delays.length === 0) throw fault(`transitions.${type}`, 'have one entry or more', 'none');
    for (const { bytes, percentiles } of delays) {
      checkPercentiles(`transitions.${type} of ${bytes} bytes`, percentiles);
    }
  }
  return simulation;
}

function checkNetwork({ connectionBytesPerSecond, functionBytesPerSecond, burst }: NetworkShape): void {
  const rates = {
    connectionBytesPerSecond,
    functionBytesPerSecond,
    ...(burst && { 'burst.bytesPerSecond': burst.bytesPerSecond }),
  };
  for (const [name, rate] of Object.entries(rates)) {
    if (!(rate > 0)) throw fault(`network.${name}`, 'be a number above 0', String(rate));
  }
}

function checkPercentiles(name: string, percentiles: Percentiles): void {
  const rises = percentiles.every(([percent, ms], index) => {
    const [percentBefore, msBefore] = index === 0 ? [0, 0] : percentiles[index - 1];
    return percent >= percentBefore && percent <= 100 && ms >= msBefore && Number.isFinite(ms);
  });
  if (percentiles.length > 0 && rises) return;
  throw fault(
    name,
    'be one or more rising pairs of a percentage and milliseconds',
    JSON.stringify(percentiles),
  );
}

function fault(name: string, expected: string, got: string): LocalCloudError {
  return new LocalCloudError(`${name} of a simulation must ${expected}, got ${got}: correct it`);
}
