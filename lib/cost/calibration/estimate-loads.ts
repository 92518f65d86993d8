/** How fast functions download their files, and what creating a session takes. */
import { median } from '../../compute-time/profile/quantiles';
import { MIB } from '../formulas/lambda';
import { type Estimator, MIN_LOAD_MB, MIN_SAMPLES } from './estimator';
import type { CallSample } from './samples';
import { robustLine } from './statistics';

/** A line through loads needs sizes that differ by this factor. */
const MIN_SIZE_RATIO = 1.5;

/** MB/s of downloads: of the network, or of the processor if it is slower. */
export function estimateBandwidth(estimator: Estimator): void {
  const { network, handler, processor, s3 } = estimator.environment;
  const loads = estimator.loads().filter(({ weightBytes }) => weightBytes <= network.burst * MIB);
  const large = loads.filter(({ weightBytes }) => weightBytes >= MIN_LOAD_MB * 1e6);
  const perMb = loadMsPerMb(estimator, loads, large).filter((ms) => ms > 0);
  const missing = 'cold calls of slices of 4 MB and more';
  const rates = perMb.map((ms) => 1000 / ms);
  const share =
    large.length === 0 ? processor.lambdaSpeed : median(large.map((call) => estimator.shareOf(call)));
  const rate = rates.length === 0 ? 0 : median(rates);
  const cpuMs = (network.cpu * network.tls + handler.checksum) / share;
  if (rates.length >= MIN_SAMPLES && 1000 / rate < cpuMs) {
    estimator.estimate('network', 'cpu', rates, missing, () =>
      Math.max(0, ((1000 / rate) * share - handler.checksum) / network.tls),
    );
  }
  const mibs = rate * (1e6 / MIB);
  const isWireSlower = 1000 / rate > cpuMs;
  const burstRate = isWireSlower ? mibs : Math.max(network.burstRate, mibs);
  estimator.estimate('network', 'burstRate', rates, missing, () => burstRate);
  if (rates.length < MIN_SAMPLES) return;
  // Beyond the burst it cannot be faster than within.
  if (burstRate < network.sustainedRate) {
    estimator.estimate('network', 'sustainedRate', rates, missing, () => burstRate);
  }
  if (handler.connections * s3.connectionRate < rate) {
    estimator.estimate('s3', 'connectionRate', rates, missing, () => rate / handler.connections);
  }
}

/** One slope for all if the sizes differ; otherwise what each load takes beyond the known waits, for each MB. */
function loadMsPerMb(
  estimator: Estimator,
  loads: readonly CallSample[],
  large: readonly CallSample[],
): number[] {
  const { handler, s3 } = estimator.environment;
  const sizes = loads.map(({ weightBytes }) => weightBytes / 1e6);
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  const smallest = sizes.reduce((least, size) => Math.min(least, size), Infinity);
  const isSpread = largest >= MIN_SIZE_RATIO * Math.max(MIN_LOAD_MB, smallest);
  const line = isSpread
    ? robustLine(loads.map(({ weightBytes, loadMs }) => [weightBytes / 1e6, loadMs] as const))
    : undefined;
  return large.map((call) => {
    const sessionMs = handler.sessionCpu / estimator.shareOf(call);
    if (line !== undefined) return line.slope - sessionMs;
    const waits = s3.standardFirstGetMs + handler.sessionCpuMs / estimator.shareOf(call);
    return (call.loadMs - waits) / (call.weightBytes / 1e6) - sessionMs;
  });
}

/** What a load takes besides the first request and its bytes. */
export function estimateSession(estimator: Estimator): void {
  const { handler, s3 } = estimator.environment;
  const rest = estimator.loads().map((call) => {
    const perMb = (handler.sessionCpu * call.weightBytes) / 1e6 / estimator.shareOf(call);
    const bytesMs = estimator.transferMs(call.weightBytes, call);
    const ms = call.loadMs - s3.standardFirstGetMs - bytesMs - perMb;
    return Math.max(0, ms) * estimator.shareOf(call);
  });
  estimator.estimate('handler', 'sessionCpuMs', rest, 'cold calls', median);
}
