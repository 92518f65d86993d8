/** Random models of cost and latency that keep the interface's promise: no total that grows makes a run cheaper or faster. */
import * as fc from 'fast-check';
import type {
  ChainTotals,
  CostModel,
  RunCost,
  SliceDemand,
  StepChoice,
  Transport,
} from '../../lib/cost/cost-model';

const positive = fc.double({ min: 0.01, max: 10, noNaN: true });
const byTransport = fc.record<Record<Transport, number>>({ 's3-standard': positive, 's3-express': positive });

export const randomCostModel: fc.Arbitrary<CostModel> = fc
  .record({
    warmsUp: fc.boolean(),
    coldShare: fc.double({ min: 0, max: 1, noNaN: true }),
    perCall: positive,
    perMbMs: positive,
    perRead: byTransport,
    perWrite: byTransport,
    msPerByte: byTransport,
    msPerFileByte: positive,
    msPerCoreSecond: positive,
    /** Above 1, a larger function computes faster than its price grows. */
    speedup: fc.double({ min: 0, max: 1.5, noNaN: true }),
    delay: byTransport,
    spread: byTransport,
    perMachineMs: positive,
  })
  .map((random): Omit<CostModel, 'dollars' | 'latencyMs' | 'isWithin'> => ({
    dollarsPerMs: random.perMachineMs,
    warmsUp: random.warmsUp,
    coldShare: random.coldShare,
    step: (demand: SliceDemand, choice: StepChoice) => {
      const reads = choice.readsFrom === 'request' ? 's3-standard' : choice.readsFrom;
      const speed = Math.min(choice.threads, (choice.memoryMb / 512) ** random.speedup);
      const moving =
        demand.readBytes * random.msPerByte[reads] + demand.writeBytes * random.msPerByte[choice.writesTo];
      const warmMs =
        moving / 100 + (demand.coreSeconds * random.msPerCoreSecond) / speed + choice.threads / 10;
      const loadMs = demand.fileBytes * random.msPerFileByte;
      const requests = demand.readTensors * random.perRead[reads] + random.perWrite[choice.writesTo];
      const billed = (ms: number): number => (choice.memoryMb / 512) * ms * random.perMbMs;
      return {
        warmDollars: random.perCall + requests + billed(warmMs),
        coldDollars: random.perCall + requests + billed(warmMs + loadMs),
        warmMs,
        loadMs,
        coldMs: warmMs * 1.1,
      };
    },
    run: (totals, temperature): RunCost => {
      const warm = runOf(totals, totals.warmDollars, totals.warmMs);
      const cold = runOf(totals, totals.coldDollars, totals.coldMs);
      if (temperature !== 'mixed') return temperature === 'warm' ? warm : cold;
      const share = random.coldShare;
      const mix = (a: number, b: number): number => (1 - share) * a + share * b;
      return {
        dollars: mix(warm.dollars, cold.dollars),
        latency: {
          p50: mix(warm.latency.p50, cold.latency.p50),
          p95: Math.max(warm.latency.p95, cold.latency.p95),
        },
      };
      function runOf({ writes }: ChainTotals, dollars: number, ms: number): RunCost {
        const sum = (by: Record<Transport, number>): number =>
          writes['s3-standard'] * by['s3-standard'] + writes['s3-express'] * by['s3-express'];
        const p50 = ms + sum(random.delay);
        return {
          dollars: dollars + random.perMachineMs * p50,
          latency: { p50, p95: p50 + Math.sqrt(sum(random.spread)) },
        };
      }
    },
  }))
  .map((model) => ({
    ...model,
    dollars: (totals, temperature) => model.run(totals, temperature).dollars,
    latencyMs: (totals, temperature, quantile) => model.run(totals, temperature).latency[quantile],
    isWithin: (totals, temperature, quantile, ms) => model.run(totals, temperature).latency[quantile] <= ms,
  }));
