/** A model of cost and latency from a few published figures. Delays add up by their quantiles. */
import type {
  ChainTotals,
  CostModel,
  Latency,
  RunCost,
  SliceDemand,
  StepChoice,
  StepCost,
  Temperature,
  Transport,
} from './cost-model';

const MIB = 1024 * 1024;

/** Lambda, x86_64, us-east-1, 2026-09: https://aws.amazon.com/lambda/pricing/. */
const DOLLARS_PER_GB_SECOND = 0.0000166667;
const DOLLARS_PER_CALL = 0.2e-6;
const MEMORY_MB_PER_VCPU = 1_769;

/** A sandbox's network: some 300 MiB at 1.2 GiB/s, then 75 MiB/s (hpides/skyrise, network throughput, 2025-03). */
const BURST_BYTES = 300 * MIB;
const BURST_BYTES_PER_SECOND = 1.2 * 1024 * MIB;
const STEADY_BYTES_PER_SECOND = 75 * MIB;
/** Processor time of a download on one vCPU: 3.2 ms a MB (`npm run bench:runtime`). */
const CORE_SECONDS_PER_BYTE = 3.2e-9;
/** Start of Node.js 24 from a zip file (maxday/lambda-perf, 2026-08) and of ONNX Runtime, in ms. */
const INIT_MS = 200;

interface StorePrices {
  readonly getDollars: number;
  readonly putDollars: number;
  readonly get: Latency;
  readonly put: Latency;
}

/** Prices: https://aws.amazon.com/s3/pricing/. Latencies in ms: hpides/skyrise, storage latency, 2024-04. */
const STORES: Readonly<Record<Transport, StorePrices>> = {
  's3-standard': { getDollars: 4e-7, putDollars: 5e-6, get: { p50: 27, p95: 74 }, put: { p50: 40, p95: 90 } },
  's3-express': {
    getDollars: 3e-8,
    putDollars: 1.13e-6,
    get: { p50: 4.8, p95: 5.5 },
    put: { p50: 7.4, p95: 9.6 },
  },
};
/** Express, us-east-1: $1 per million executions and $0.00001667 per GB-s in 64 MB: https://aws.amazon.com/step-functions/pricing/. */
const DOLLARS_PER_EXECUTION = 1e-6;
const DOLLARS_PER_EXECUTION_MS = (0.00001667 * 64) / 1024 / 1000;
/** From the end of a function to the start of the next one, in ms (spcl/sebs-flow-artifact, 2024-05). */
const HOP: Latency = { p50: 159, p95: 250 };

export const NOMINAL_COLD_SHARE = 0.1;

export function nominalModel(coldShare: number): CostModel {
  return {
    warmsUp: true,
    coldShare,
    step,
    run: (totals, temperature) => run(totals, temperature, coldShare),
  };
}

function step(demand: SliceDemand, { memoryMb, threads, readsFrom, writesTo }: StepChoice): StepCost {
  const vcpus = memoryMb / MEMORY_MB_PER_VCPU;
  const compute = demand.coreSeconds / Math.min(vcpus, threads);
  const moving = transferSeconds(demand.readBytes, vcpus) + transferSeconds(demand.writeBytes, vcpus);
  const warmMs = 1000 * (compute + moving);
  const loadMs = INIT_MS + 1000 * transferSeconds(demand.fileBytes, vcpus);
  const reads = STORES[readsFrom === 'request' ? 's3-standard' : readsFrom];
  const requests = demand.readTensors * reads.getDollars + STORES[writesTo].putDollars;
  const delays = reads.get.p50 + STORES[writesTo].put.p50;
  const billed = (ms: number): number => (memoryMb / 1024) * (ms / 1000) * DOLLARS_PER_GB_SECOND;
  return {
    warmDollars: DOLLARS_PER_CALL + requests + billed(warmMs + delays),
    coldDollars: 2 * DOLLARS_PER_CALL + requests + billed(warmMs + delays + loadMs),
    warmMs,
    loadMs,
    coldMs: warmMs,
  };
}

function transferSeconds(bytes: number, vcpus: number): number {
  const burst = Math.min(bytes, BURST_BYTES) / BURST_BYTES_PER_SECOND;
  const steady = Math.max(0, bytes - BURST_BYTES) / STEADY_BYTES_PER_SECOND;
  return Math.max(burst + steady, (bytes * CORE_SECONDS_PER_BYTE) / Math.min(1, vcpus));
}

function run(totals: ChainTotals, temperature: Temperature, coldShare: number): RunCost {
  const warm = runOf(totals, totals.warmDollars, totals.warmMs);
  if (temperature === 'warm') return warm;
  const cold = runOf(totals, totals.coldDollars, totals.coldMs);
  if (temperature === 'cold') return cold;
  return {
    dollars: (1 - coldShare) * warm.dollars + coldShare * cold.dollars,
    latency: {
      p50: coldShare < 0.5 ? warm.latency.p50 : cold.latency.p50,
      p95: coldShare < 0.05 ? warm.latency.p95 : cold.latency.p95,
    },
  };
}

function runOf({ writes }: ChainTotals, dollars: number, ms: number): RunCost {
  let p50 = ms;
  let variance = 0;
  for (const transport of ['s3-standard', 's3-express'] as const) {
    const { get, put } = STORES[transport];
    const slices = writes[transport];
    p50 += slices * (HOP.p50 + get.p50 + put.p50);
    variance += slices * [HOP, get, put].reduce((sum, delay) => sum + (delay.p95 - delay.p50) ** 2, 0);
  }
  return {
    dollars: dollars + DOLLARS_PER_EXECUTION + DOLLARS_PER_EXECUTION_MS * p50,
    latency: { p50, p95: p50 + Math.sqrt(variance) },
  };
}
