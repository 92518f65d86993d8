/** Slices to price: a chain of equal slices of BERT-large's shape unless a test says otherwise. */
import type { SliceDemand, StepChoice, Transport } from '../../lib/cost/cost-model';
import type { ChosenSlice, DetailedCostModel } from '../../lib/cost/model';
import type { RunOutcomes, StageLike } from '../../lib/cost/schedule-cost';
import { scheduleOutcomes } from '../../lib/cost/schedule-cost';

export const DEMAND: SliceDemand = {
  fileBytes: 162_500_000,
  coreSeconds: 0.135,
  readTensors: 1,
  readBytes: 524_288,
  writeBytes: 524_288,
  memoryMb: 320,
};

export const CHOICE: StepChoice = {
  memoryMb: 1769,
  threads: 1,
  readsFrom: 's3-standard',
  writesTo: 's3-standard',
};

/** A chain whose first slice reads the request and whose last one writes the result to S3 Standard. */
export function chainOf(
  slices: number,
  demand: Partial<SliceDemand> = {},
  choice: Partial<StepChoice> = {},
): ChosenSlice[] {
  const transport: Transport = choice.writesTo ?? 's3-standard';
  return Array.from({ length: slices }, (_, slice) => ({
    demand: { ...DEMAND, ...demand },
    choice: {
      ...CHOICE,
      ...choice,
      readsFrom: slice === 0 ? 'request' : transport,
      writesTo: slice === slices - 1 ? 's3-standard' : transport,
    },
  }));
}

/** What runs of a chain cost and take, with warm-ups if the model warms up. */
export function outcomesOf(model: DetailedCostModel, chain: readonly ChosenSlice[]): RunOutcomes {
  const steps = chain.map(({ demand, choice }) => ({ ...choice, cost: model.step(demand, choice) }));
  const [first, ...later] = chain.map((_, slice): StageLike => ({ kind: 'slice', slice }));
  const warmUps = later.map((_, index): StageLike[] => [{ kind: 'warm-up', slice: index + 1 }]);
  const start: StageLike =
    model.warmsUp && later.length > 0 ? { kind: 'parallel', branches: [[first], ...warmUps] } : first;
  return scheduleOutcomes(model, [start, ...later], steps);
}
