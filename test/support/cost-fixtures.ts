/** Slices to price: a chain of equal slices of BERT-large's shape unless a test says otherwise. */
import type { SliceDemand, StepChoice, Temperature, Transport } from '../../lib/cost/chain';
import { type Environment, DEFAULT_ENVIRONMENT } from '../../lib/cost/constants/defaults';
import type { LineItems } from '../../lib/cost/step';
import type { DetailedCostModel } from '../../lib/cost/model';
import {
  type ItemizedStep,
  type RunOutcomes,
  type Schedule,
  itemsOf,
  scheduleOutcomes,
} from '../../lib/cost/schedule';
import { withWarmUps } from '../../lib/plan/schedule/schedule';

/** A slice of a plan, and what the plan chose for it. */
export interface ChosenSlice {
  readonly demand: SliceDemand;
  readonly choice: StepChoice;
}

export const DEMAND: SliceDemand = {
  fileBytes: 162_500_000,
  packedBytes: 162_000_000,
  activationBytes: 0,
  coreSeconds: 0.135,
  gets: 1,
  requestGets: 0,
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

/** An environment whose delays do not vary, in milliseconds. */
export function steadyEnvironment(get: number, put: number, transition: number): Environment {
  const { s3, stepFunctions, ...rest } = DEFAULT_ENVIRONMENT;
  const [gets, puts, express] = [get, put, transition].map((ms) => [[50, ms]] as const);
  return {
    ...rest,
    s3: { ...s3, standardGet: gets, expressGet: gets, standardPut: puts, expressPut: puts },
    stepFunctions: { ...stepFunctions, express },
  };
}

/** A chain whose first slice reads the request and whose last one writes the result to S3 Standard. */
export function chainOf(
  slices: number,
  demand: Partial<SliceDemand> = {},
  choice: Partial<StepChoice> = {},
): ChosenSlice[] {
  const transport: Transport = choice.writesTo ?? 's3-standard';
  return Array.from({ length: slices }, (_, slice) => ({
    demand: { ...DEMAND, ...(slice === 0 && { gets: 0, requestGets: 1 }), ...demand },
    choice: {
      ...CHOICE,
      ...choice,
      readsFrom: slice === 0 ? 'request' : transport,
      writesTo: slice === slices - 1 ? 's3-standard' : transport,
      writesResult: slice === slices - 1,
    },
  }));
}

export function stepsOf(model: DetailedCostModel, chain: readonly ChosenSlice[]): ItemizedStep[] {
  return chain.map(({ demand, choice }) => ({ ...choice, cost: model.step(demand, choice) }));
}

export function inSeries(slices: number): Schedule {
  return Array.from({ length: slices }, (_, slice) => ({ kind: 'slice', slice }) as const);
}

/** What runs of a chain cost and take, with warm-ups if the model warms up. */
export function outcomesOf(model: DetailedCostModel, chain: readonly ChosenSlice[]): RunOutcomes {
  const series = inSeries(chain.length);
  return scheduleOutcomes(model, model.warmsUp ? withWarmUps(series) : series, stepsOf(model, chain));
}

/** The items of a run of the chain. */
export function itemsOfChain(
  model: DetailedCostModel,
  chain: readonly ChosenSlice[],
  temperature: Temperature,
): LineItems {
  return itemsOf(outcomesOf(model, chain), stepsOf(model, chain), model.coldShare, temperature);
}
