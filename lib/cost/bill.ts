/** The bill of real runs: list prices times what their logs say that AWS charges for. */
import type { Environment, Prices } from './constants/defaults';
import { type Architecture, durationRate, tmpRate } from './formulas/lambda';
import { storesOf } from './formulas/s3';
import { type StateMachineType, executionDollars } from './formulas/step-functions';
import { type LineItems, addItems, NO_ITEMS, sumOfItems } from './step';
import type { MeasuredCall } from '../../contract/execution';

export interface BillOptions {
  readonly architecture: Architecture;
  readonly prices: Prices;
  readonly environment: Environment;
  readonly retentionDays: number;
}

interface Bill {
  readonly ran: number;
  readonly warmUps: number;
  readonly failed: number;
  readonly seconds: number;
  readonly gbSeconds: number;
  readonly items: LineItems;
  readonly dollars: number;
}

export interface SliceBill extends Bill {
  readonly slice: number | 'whole';
}

export interface RunBill extends Bill {
  readonly run: string;
  /** Absent if the lines do not name it. */
  readonly executionArn?: string;
  /** From the start of the first call that ran a slice to the end of the last one, in milliseconds. */
  readonly ms: number;
}

export interface BilledRuns {
  /** By run, in the order of their first lines. Includes the state machine. */
  readonly runs: readonly RunBill[];
  /** By slice. Excludes the state machine. */
  readonly slices: readonly SliceBill[];
  /** Calls that ended without a line of their own: out of memory, timeouts, and functions that are no slices. */
  readonly other: { readonly calls: number; readonly items: LineItems; readonly dollars: number };
  readonly items: LineItems;
  readonly dollars: number;
  /** Calls whose `REPORT` line is missing: their durations are not in the bill. */
  readonly withoutReport: number;
}

/** @param others reports of calls without a line of a slice function */
export function billOf(
  calls: readonly LoggedCall[],
  others: readonly LoggedReport[],
  options: BillOptions,
): BilledRuns {
  const priced = calls.map((call) => ({ call, items: itemsOfCall(call, options) }));
  const runs = [...groupedBy(priced, ({ call }) => call.run)].map(([run, own]) => runBill(run, own, options));
  const slices = [...groupedBy(priced, ({ call }) => call.slice)]
    .map(([slice, own]) => ({ slice, ...billOfCalls(own) }))
    // The whole model comes after the slices.
    .sort((a, b) => (a.slice === 'whole' ? 1 : b.slice === 'whole' ? -1 : a.slice - b.slice));
  const otherItems = addItems(others.map((report) => itemsOfReport(report, options)));
  const unattributed = priced.filter(({ call }) => call.run === undefined);
  const items = addItems([...[...runs, ...unattributed].map((own) => own.items), otherItems]);
  return {
    runs,
    slices,
    other: { calls: others.length, items: otherItems, dollars: sumOfItems(otherItems) },
    items,
    dollars: sumOfItems(items),
    withoutReport: calls.filter(({ report }) => report === undefined).length,
  };
}

interface PricedCall {
  readonly call: LoggedCall;
  readonly items: LineItems;
}

function itemsOfCall(call: LoggedCall, options: BillOptions): LineItems {
  const { report, bytesRead, bytesWritten } = call;
  const { 's3-standard': standard, 's3-express': express } = storesOf(options.prices, options.environment);
  const writes = call.expressPuts > 0 ? express : standard;
  const reads = call.expressGets > 0 ? express : standard;
  return {
    ...NO_ITEMS,
    lambdaRequests: options.prices.lambda.requests / 1e6,
    ...(report && durationItems(call, report, options)),
    s3Puts: call.s3Puts * standard.putDollars + call.expressPuts * express.putDollars,
    s3Gets: call.s3Gets * standard.getDollars + call.expressGets * express.getDollars,
    s3Bytes: bytesWritten * writes.uploadDollarsPerByte + bytesRead * reads.downloadDollarsPerByte,
    tensorStorage: bytesWritten * writes.dollarsPerByteAndDay * options.retentionDays,
  };
}

/** The init phase, loads and warm-ups are loading. The rest of a call that is not ONNX Runtime's run is transfer. */
function durationItems(
  call: LoggedCall,
  { billedMs, memoryMb, initMs = 0 }: LoggedReport,
  { architecture, prices, environment }: BillOptions,
): Partial<LineItems> {
  const rate = durationRate(memoryMb, architecture, prices);
  const compute = Math.min(billedMs, call.kind === 'failed' ? billedMs : call.runMs);
  const rest = billedMs - compute;
  const load = call.kind === 'warm-up' ? rest : Math.min(rest, ownLoadMs(call) + initMs);
  return {
    lambdaCompute: compute * rate,
    lambdaLoad: load * rate,
    lambdaTransfer: (rest - load) * rate,
    ephemeralStorage: billedMs * tmpRate(call.weightBytes, prices, environment),
  };
}

/** Of this call: the line of a warm-up has its own load. */
function ownLoadMs({ warmedUp, loadMs }: LoggedCall): number {
  return warmedUp ? 0 : loadMs;
}

function itemsOfReport(
  { billedMs, memoryMb }: LoggedReport,
  { architecture, prices }: BillOptions,
): LineItems {
  const lambdaCompute = billedMs * durationRate(memoryMb, architecture, prices);
  return { ...NO_ITEMS, lambdaRequests: prices.lambda.requests / 1e6, lambdaCompute };
}

function runBill(run: string, own: readonly PricedCall[], options: BillOptions): RunBill {
  const bill = billOfCalls(own);
  const executionArn = own.find(({ call }) => call.executionArn !== undefined)?.call.executionArn;
  const ms = elapsedMs(own.map(({ call }) => call));
  const type: StateMachineType = executionArn?.includes(':express:') === false ? 'standard' : 'express';
  const { ran, warmUps, failed } = bill;
  // A retry is a transition too, and so is the `Parallel` state that holds the warm-ups.
  const counts = { slices: ran + failed, warmUps, parallels: warmUps > 0 ? 1 : 0 };
  const stepFunctions = executionDollars(type, counts, ms, options.prices, options.environment);
  const items = { ...bill.items, stepFunctions };
  return {
    run,
    ...(executionArn !== undefined && { executionArn }),
    ms,
    ...{ ...bill, items, dollars: sumOfItems(items) },
  };
}

function billOfCalls(own: readonly PricedCall[]): Bill {
  const count = (kind: LoggedCall['kind']): number => own.filter(({ call }) => call.kind === kind).length;
  const sum = (value: (report: LoggedReport) => number): number =>
    own.reduce((total, { call }) => total + (call.report ? value(call.report) : 0), 0);
  const items = addItems(own.map((priced) => priced.items));
  return {
    ran: count('ran'),
    warmUps: count('warm-up'),
    failed: count('failed'),
    seconds: sum(({ billedMs }) => billedMs / 1000),
    gbSeconds: sum(({ billedMs, memoryMb }) => (billedMs / 1000) * (memoryMb / 1024)),
    items,
    dollars: sumOfItems(items),
  };
}

function elapsedMs(calls: readonly LoggedCall[]): number {
  const spans = calls.flatMap((call) => {
    const { startedAt, report, runMs } = call;
    if (startedAt === undefined) return [];
    const { billedMs = runMs + ownLoadMs(call), initMs = 0 } = report ?? {};
    return [{ start: startedAt, end: startedAt + Math.max(0, billedMs - initMs) }];
  });
  if (spans.length === 0) return 0;
  const end = spans.reduce((last, span) => Math.max(last, span.end), -Infinity);
  return end - spans.reduce((first, { start }) => Math.min(first, start), Infinity);
}

type Measured = 'warmedUp' | 'weightBytes' | 'loadMs' | 'runMs' | 'bytesRead' | 'bytesWritten';

/** A call of a slice's function, or of the whole model. A number that its line lacks is 0. */
export interface LoggedCall extends Pick<MeasuredCall, Measured> {
  /**
   * A call that ran the slice or the whole model, a warm-up, or either that failed. Calls in which the whole model said that it is
   * cold, or loaded, count as warm-ups: each is a state of the run.
   */
  readonly kind: 'ran' | 'warm-up' | 'failed';
  /** Calls of the same run form a chain. Absent if the function could not tell, because no state machine made the call. */
  readonly run?: string;
  readonly executionArn?: string;
  /** -1 if the function could not read its own index. */
  readonly slice: number | 'whole';
  /** Since the Unix epoch; absent for warm-ups and failures. */
  readonly startedAt?: number;
  /** None if all tensors were in the event. */
  readonly s3Gets: number;
  readonly s3Puts: number;
  readonly expressGets: number;
  readonly expressPuts: number;
  /** Absent if the logs have no `REPORT` line of the call. */
  readonly report?: LoggedReport;
}

export interface LoggedReport {
  readonly billedMs: number;
  readonly memoryMb: number;
  /** Of the first call of a sandbox. */
  readonly initMs?: number;
}

/** Leaves out what has no key. */
function groupedBy<T, K>(all: readonly T[], keyOf: (one: T) => K | undefined): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}
