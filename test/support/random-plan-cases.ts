/** Random graphs with random costs of nodes and bytes of tensors, and requests for their best plans. */
import * as fc from 'fast-check';
import type {
  ChainTotals,
  CostModel,
  RunCost,
  SliceDemand,
  StepChoice,
  Transport,
} from '../../lib/cost/chain';
import { costModel } from '../../lib/cost/model';
import { analyzeDataflow } from '../../lib/dataflow/dataflow';
import { parseModel } from '../../lib/onnx/parse';
import { type CutSpace, findCuts } from '../../lib/plan/cuts/cuts';
import type { PlanRequest } from '../../lib/plan/goal';
import { type PricedGraph, CutGraph, pricedGraph } from '../../lib/plan/search/cut-graph';
import { memoryMb } from '../../lib/plan/sizes/estimate';
import { saveModel } from './model-builder';
import { randomModel } from './random-graph';

const MIB = 2 ** 20;

export interface PlanCase {
  readonly space: CutSpace;
  readonly request: PlanRequest;
  /** Where between the best and the worst plan the limits lie. */
  readonly share: number;
}

const positive = fc.double({ min: 0.01, max: 10, noNaN: true });
const byTransport = fc.record<Record<Transport, number>>({ 's3-standard': positive, 's3-express': positive });

/** No total that grows makes a run cheaper or faster. */
const randomCostModel: fc.Arbitrary<CostModel> = fc
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

const random = fc.record({
  init: randomModel,
  model: randomCostModel,
  numbers: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  maxSlices: fc.integer({ min: 1, max: 20 }),
});

/** Fewer memory sizes the more cuts there are, because brute force tries all combinations. */
function memorySizes(cuts: number): readonly number[] {
  if (cuts <= 4) return [1024, 2048];
  return cuts <= 6 ? [1024] : [];
}

/** The first cases with at most so many cuts. Of four models, one or more has 12 cuts or fewer. */
export function randomPlanCases(graphs: number, mostCuts: number, seed: number): readonly PlanCase[] {
  const found: PlanCase[] = [];
  const samples = fc.sample(random, { numRuns: 4 * graphs, seed });
  for (const { init, model, numbers, share, maxSlices } of samples) {
    if (found.length === graphs) break;
    const parsed = parseModel(saveModel(init));
    const draw = (): number => numbers.next().value as number;
    // Some tensors have so many bytes that the memory of the functions differs.
    const bytes = parsed.graph.values.map(() => Math.ceil(draw() ** 6 * 200 * MIB));
    const work = parsed.graph.nodes.map(() => draw() ** 2);
    // The search takes the random model from the request.
    const costs = {
      work,
      scratch: work.map(() => 0),
      classes: Int32Array.from(bytes.keys()),
      outputSecondsPerByte: draw() * 1e-9,
      model: () => costModel(),
    };
    const space = findCuts(analyzeDataflow(parsed), () => undefined, bytes, costs);
    if (space.legal.length > mostCuts) continue;
    const request = requestOf(model, space, maxSlices);
    found.push({ space, request, share });
  }
  return found;
}

function requestOf(model: CostModel, space: CutSpace, maxSlices: number): PlanRequest {
  return {
    model,
    minimize: 'cost',
    temperature: 'mixed',
    quantile: 'p50',
    maxMemoryMb: 3008,
    memorySizes: memorySizes(space.legal.length),
    transport: space.legal.length % 2 === 0 ? 's3-standard' : 's3-express',
    threads: 2,
    maxSlices,
  };
}

/** The graph of all legal cuts, with its prices. */
export function graphOf({ space, request }: PlanCase): PricedGraph {
  const range = { start: 0, end: space.dataflow.order.length };
  const graph = CutGraph.of(space, space.legal, range, {
    fits: (size) => memoryMb(size) <= request.maxMemoryMb,
    isHopeless: (size) => memoryMb({ ...size, writeBytes: 0 }) > request.maxMemoryMb,
    describe: () => ({ limit: '', got: '', advice: '' }),
  });
  return pricedGraph(graph, request);
}
