/** Lists every plan of a space of cuts, to compare the search with. */
import type { RunCost, StepChoice, StepCost, Transport } from '../../lib/cost/cost-model';
import type { CutSpace } from '../../lib/plan/cuts/cuts';
import type { PlanRequest } from '../../lib/plan/goal';
import { sizeRanges } from '../../lib/plan/cuts/range-sizes';
import { type SliceSize, fileBytes, memoryMb } from '../../lib/plan/sizes/estimate';

export interface TriedPlan {
  readonly cost: RunCost;
  readonly slices: number;
  readonly movedBytes: number;
}

interface Partial {
  readonly slices: number;
  readonly movedBytes: number;
  readonly warmDollars: number;
  readonly coldDollars: number;
  readonly warmMs: number;
  /** With warm-ups: when all slices have loaded and the first one has run. */
  readonly startMs: number;
  readonly laterMs: number;
}

/** Calls `visit` with each plan: every set of legal cuts, with every set of memory sizes. */
export function everyPlan(space: CutSpace, request: PlanRequest, visit: (plan: TriedPlan) => void): void {
  const boundaries = [0, ...space.legal, space.dataflow.order.length];
  const sizes = sizesBetween(space, boundaries);
  const { transport, threads } = request;
  const steps = sizes.map((row, from) =>
    row.map((size, to) => stepsOf(space, request, size, choiceOf(transport, threads, from, to, sizes))),
  );
  visitPlans(sizes, steps, request, (plan) => {
    const writes =
      transport === 's3-standard'
        ? { 's3-standard': plan.slices, 's3-express': 0 }
        : { 's3-standard': 1, 's3-express': plan.slices - 1 };
    const totals = { ...plan, coldMs: plan.startMs + plan.laterMs, writes };
    const cost = request.model.run(totals, request.temperature);
    visit({ cost, slices: plan.slices, movedBytes: plan.movedBytes });
  });
}

function choiceOf(
  transport: Transport,
  threads: number,
  from: number,
  to: number,
  sizes: readonly unknown[],
): Omit<StepChoice, 'memoryMb'> {
  return {
    threads,
    readsFrom: from === 0 ? 'request' : transport,
    writesTo: to === sizes.length - 1 ? 's3-standard' : transport,
  };
}

/** One step for each memory size that the slice may have. */
function stepsOf(
  { costs }: CutSpace,
  { model, maxMemoryMb, memorySizes }: PlanRequest,
  size: SliceSize,
  choice: Omit<StepChoice, 'memoryMb'>,
): StepCost[] {
  const least = memoryMb(size);
  const demand = {
    fileBytes: fileBytes(size),
    coreSeconds: size.coreSeconds + costs.outputSecondsPerByte * size.writeBytes,
    readTensors: size.readTensors,
    readBytes: size.readBytes,
    writeBytes: size.writeBytes,
    memoryMb: least,
  };
  if (least > maxMemoryMb) return [];
  const larger = memorySizes.filter((memory) => memory > least && memory <= maxMemoryMb);
  return [least, ...larger].map((memory) => model.step(demand, { ...choice, memoryMb: memory }));
}

function visitPlans(
  sizes: readonly (readonly SliceSize[])[],
  steps: readonly (readonly (readonly StepCost[])[])[],
  { model, maxSlices }: PlanRequest,
  visit: (plan: Partial) => void,
): void {
  const last = sizes.length - 1;
  const extend = (from: number, partial: Partial): void => {
    for (let to = from + 1; to <= last; to++) {
      const { readBytes, writeBytes } = sizes[from][to];
      for (const step of steps[from][to]) {
        const next: Partial = {
          slices: partial.slices + 1,
          movedBytes: partial.movedBytes + readBytes + writeBytes,
          warmDollars: partial.warmDollars + step.warmDollars,
          coldDollars: partial.coldDollars + step.coldDollars,
          warmMs: partial.warmMs + step.warmMs,
          ...coldAfter(partial, step, model.warmsUp),
        };
        if (to < last) extend(to, next);
        else if (next.slices <= maxSlices) visit(next);
      }
    }
  };
  extend(0, { slices: 0, movedBytes: 0, warmDollars: 0, coldDollars: 0, warmMs: 0, startMs: 0, laterMs: 0 });
}

/** The formula of `ChainTotals`, step by step. */
function coldAfter(
  { slices, startMs, laterMs }: Partial,
  { loadMs, coldMs }: StepCost,
  warmsUp: boolean,
): Pick<Partial, 'startMs' | 'laterMs'> {
  if (!warmsUp) return { startMs, laterMs: laterMs + (loadMs + coldMs) };
  if (slices === 0) return { startMs: loadMs + coldMs, laterMs };
  return { startMs: Math.max(startMs, loadMs), laterMs: laterMs + coldMs };
}

function sizesBetween(space: CutSpace, boundaries: readonly number[]): SliceSize[][] {
  return boundaries.map((_, from) => {
    const row = new Array<SliceSize>(boundaries.length);
    sizeRanges(space, boundaries, from, (to, size) => {
      row[to] = size;
      return true;
    });
    return row;
  });
}
