/**
 * A second formula of what runs cost and how long they take, beside that of the product. It imports nothing of the product: it reads the
 * plan, the template and the lists of constants, and follows docs/costs.md. Quantiles are those of random runs with a fixed seed.
 */
import { constant, pairs, price } from './constants';
import { type Percentiles, dice, meanOf } from './delays';
import type { Deployment, Fn, PlanFile, State } from './deployment';
import { totalOf } from './objects';
import {
  type Choices,
  type SliceCall,
  callDollars,
  fetchOf,
  initMs,
  lambdaDollars,
  loadingMs,
  logDollars,
  requestDollars,
  sliceCall,
  storedDollars,
} from './slice-call';
import { nodeMs } from './speeds';

export interface Account {
  readonly dollars: number;
  readonly meanMs: number;
  readonly p50: number;
  readonly p95: number;
}

export interface Accounts {
  readonly warm: Account;
  readonly cold: Account;
}

type Draw = (delay: Percentiles) => number;
type Call = Extract<State, { kind: 'call' }>;

const RUNS = 20_000;
const SEED = 35;

/** Express executions are billed in units of 100 ms, of which half a unit is not used on average. */
const UNUSED_MS = 50;

/** The slices alone. @param runs that are drawn; with 0, a maximum of means stands for the mean of a maximum, and means for quantiles */
export function accountsOf(
  plan: PlanFile,
  deployment: Deployment,
  choices: Choices,
  runs: number = RUNS,
): Accounts {
  const states = withoutWhole(deployment.states);
  const all = callsOf(states);
  const warmedUp = new Set(all.flatMap(({ purpose, slice }) => (purpose === 'warm-up' ? [slice] : [])));
  const calls = new Map(
    all
      .filter(({ purpose }) => purpose === 'slice')
      .map((call) => [call.slice, sliceCall(plan, call, warmedUp.has(call.slice), choices)] as const),
  );
  const transition = pairs(deployment.isExpress ? 'stepFunctions.express' : 'stepFunctions.standard1KiB');
  const account = (isCold: boolean): Account => {
    const once = (draw: Draw): number =>
      timeOf(states, { calls, warmedUp, isCold, transition }, draw) +
      (choices.isResultInline ? 0 : draw(pairs('s3.standardGet')));
    const times = timesOf(states, isCold, once, runs);
    const slices = [...calls.values()].reduce(
      (sum, own) => sum + (isCold ? own.coldDollars : own.warmDollars),
      0,
    );
    const dollars = slices + callerDollars(plan, choices) + machineDollars(deployment, states, times.meanMs);
    return { ...times, dollars };
  };
  return { warm: account(false), cold: account(true) };
}

/** The caller puts the request, which S3 keeps as long as results, and gets the result. */
function callerDollars(plan: PlanFile, choices: Choices): number {
  const { isRequestInline, isResultInline, outputDays } = choices;
  return (
    (isRequestInline
      ? 0
      : requestDollars('Puts', 'standard', 1) +
        storedDollars('standard', totalOf(plan, plan.inputs), outputDays)) +
    (isResultInline ? 0 : requestDollars('Gets', 'standard', 1))
  );
}

function machineDollars({ isExpress }: Deployment, states: readonly State[], meanMs: number): number {
  if (!isExpress)
    return (
      ((passed(states) + constant('stepFunctions.startAndEnd')) / 1e6) *
      price('stepFunctions.standardTransitions')
    );
  const gb = constant('stepFunctions.expressMemoryMb') / 1024;
  return (
    price('stepFunctions.expressExecutions') / 1e6 +
    ((meanMs + UNUSED_MS) / 1000) * gb * price('stepFunctions.expressGbSecond')
  );
}

const passed = (states: readonly State[]): number =>
  states.reduce(
    (sum, state) =>
      sum + 1 + (state.kind === 'parallel' ? state.branches.reduce((all, own) => all + passed(own), 0) : 0),
    0,
  );

const callsOf = (states: readonly State[]): Call[] =>
  states.flatMap((state) => (state.kind === 'call' ? [state] : state.branches.flatMap(callsOf)));

function withoutWhole(states: readonly State[]): State[] {
  return states.flatMap((state): State[] => {
    if (state.kind === 'call') return state.purpose === 'ask' || state.purpose === 'load' ? [] : [state];
    const branches = state.branches.map(withoutWhole).filter(({ length }) => length > 0);
    // A parallel state that only served the load.
    return branches.length === 1 ? branches[0] : [{ kind: 'parallel', branches }];
  });
}

interface Run {
  readonly calls: ReadonlyMap<number, SliceCall>;
  readonly warmedUp: ReadonlySet<number>;
  readonly isCold: boolean;
  readonly transition: Percentiles;
}

/** A `Parallel` state ends with its slowest branch. A warm-up of a warm function ends long before the slice beside it. */
function timeOf(states: readonly State[], run: Run, draw: Draw): number {
  const { calls, warmedUp, isCold, transition } = run;
  let ms = 0;
  for (const state of states) {
    if (state.kind === 'parallel') {
      ms += draw(transition) + Math.max(...state.branches.map((branch) => timeOf(branch, run, draw)));
      continue;
    }
    const call = calls.get(state.slice);
    if (call === undefined) throw new Error(`no call of slice ${state.slice}`);
    if (state.purpose === 'warm-up') {
      ms += isCold ? draw(transition) + call.loadMs : 0;
      continue;
    }
    ms += draw(transition) + call.warmMs + call.delays.reduce((sum, delay) => sum + draw(delay), 0);
    if (isCold) ms += call.firstMs + (warmedUp.has(state.slice) ? 0 : call.loadMs);
  }
  return ms;
}

function timesOf(
  states: readonly State[],
  isCold: boolean,
  once: (draw: Draw) => number,
  runs: number,
): Omit<Account, 'dollars'> {
  const meanMs = once(meanOf);
  if (runs === 0) return { meanMs, p50: meanMs, p95: meanMs };
  const draw = dice(SEED);
  const times = Float64Array.from({ length: runs }, () => once(draw)).sort();
  const sampled = times.reduce((sum, ms) => sum + ms, 0) / runs;
  // The mean of a maximum is not the maximum of means.
  const isChain = states.every(
    (state) =>
      state.kind === 'call' ||
      (!isCold && state.branches.filter((branch) => callsOf(branch).some(isSlice)).length < 2),
  );
  return {
    meanMs: isChain ? meanMs : sampled,
    p50: times[Math.ceil(0.5 * runs) - 1],
    p95: times[Math.ceil(0.95 * runs) - 1],
  };
}

const isSlice = ({ purpose }: Call): boolean => purpose === 'slice';

export interface Whole {
  /** Its only slice. */
  readonly plan: PlanFile;
  readonly coreSeconds: number;
  readonly productWeights: number;
}

/**
 * With consolidation: a warm run is a call of the whole model. A cold run asks it, runs the slices, and lets it load by an asynchronous call.
 */
export function consolidatedAccounts(
  plan: PlanFile,
  deployment: Deployment,
  choices: Choices,
  whole: Whole,
): Accounts {
  const ask = callsOf(deployment.states).find(({ purpose }) => purpose === 'ask');
  if (ask === undefined) throw new Error('the template asks no whole model');
  const ofWhole = {
    ...choices,
    coreSeconds: [whole.coreSeconds],
    productWeights: [whole.productWeights],
  };
  const alone = { ...deployment, states: [{ ...ask, purpose: 'slice', slice: 0 } as const] };
  const { warm } = accountsOf(whole.plan, alone, ofWhole);
  const { cold } = accountsOf(plan, deployment, choices);
  const askedMs = initMs(ask.fn).node + nodeMs(ask.fn, constant('handler.callCpuMs'));
  const transition = pairs(deployment.isExpress ? 'stepFunctions.express' : 'stepFunctions.standard1KiB');
  const laterMs = constant('lambda.placementMs') + askedMs + meanOf(transition);
  const meanMs = cold.meanMs + laterMs;
  const added =
    machineDollars(deployment, deployment.states, meanMs) -
    machineDollars(deployment, withoutWhole(deployment.states), cold.meanMs);
  return {
    warm,
    cold: {
      // The delay of one more transition hardly changes how far the quantiles are from the mean.
      ...{ meanMs, p50: cold.p50 + laterMs, p95: cold.p95 + laterMs },
      dollars: cold.dollars + added + loadDollars(ask.fn, whole, askedMs),
    },
  };
}

/** Two calls, the load of the whole model, and two PUTs and a GET by which one sandbox claims it. */
function loadDollars(fn: Fn, { plan, productWeights }: Whole, askedMs: number): number {
  const load = fetchOf(fn, plan.slices[0], productWeights, plan.prepacking ?? true);
  const loadMs = loadingMs(fn, load);
  const lines = 2 * (constant('logs.callBytes') + constant('logs.warmUpBytes')) + constant('logs.startBytes');
  return (
    callDollars(2) +
    lambdaDollars(fn, askedMs + loadMs) +
    requestDollars('Gets', 'standard', load.gets + 1) +
    requestDollars('Puts', 'standard', 2) +
    logDollars(lines)
  );
}
