/** The cost and the time of one slice, and the items of its bill, so that each dollar of a run has a name. */
import type { SliceDemand, StepChoice, StepCost, Transport } from './chain';
import type { Environment } from './constants/defaults';
import type { CostOptions } from './options';
import { durationRate, logDollars, singleThreadMs, tmpRate, vcpuShare, MIB } from './formulas/lambda';
import type { Store } from './formulas/s3';
import { type Host, callTiming, loadTiming } from './formulas/slice-timing';
import { payloadMs } from './formulas/step-functions';

export const ITEM_NAMES = {
  lambdaRequests: 'Lambda requests',
  lambdaCompute: 'Lambda: computing',
  lambdaLoad: 'Lambda: starting and loading',
  /** Functions that receive, send, and wait for S3. */
  lambdaTransfer: 'Lambda: reading and writing tensors',
  ephemeralStorage: 'Lambda: /tmp above the free size',
  s3Puts: 'S3 PUT requests',
  s3Gets: 'S3 GET requests',
  callerPuts: 'S3 PUT of the request by the caller',
  callerGets: 'S3 GET of the result by the caller',
  /** Bytes up and down, which S3 Express One Zone charges. */
  s3Bytes: 'S3 bytes moved',
  /** Tensors until they expire. */
  tensorStorage: 'S3 storage of tensors',
  stepFunctions: 'Step Functions',
  logs: 'CloudWatch Logs',
} as const;

export type LineItem = keyof typeof ITEM_NAMES;

export const LINE_ITEMS = Object.keys(ITEM_NAMES) as readonly LineItem[];

export type LineItems = Readonly<Record<LineItem, number>>;

export const NO_ITEMS: LineItems = itemsBy(() => 0);

export function sumOfItems(items: LineItems): number {
  return LINE_ITEMS.reduce((sum, item) => sum + items[item], 0);
}

export function addItems(all: readonly LineItems[]): LineItems {
  return itemsBy((item) => all.reduce((sum, items) => sum + items[item], 0));
}

/** What both cost on average, if the other one happens with a probability of `share`. */
export function mixItems(items: LineItems, other: LineItems, share: number): LineItems {
  return itemsBy((item) => items[item] * (1 - share) + other[item] * share);
}

function itemsBy(dollars: (item: LineItem) => number): LineItems {
  return Object.fromEntries(LINE_ITEMS.map((item) => [item, dollars(item)])) as Record<LineItem, number>;
}

export interface StepSetting {
  readonly options: Required<CostOptions>;
  readonly host: Host;
  readonly stores: Readonly<Record<Transport, Store>>;
}

export interface DetailedStep extends StepCost {
  readonly warmItems: LineItems;
  readonly coldItems: LineItems;
}

export function stepOf(setting: StepSetting, demand: SliceDemand, choice: StepChoice): DetailedStep {
  const { options, host, stores } = setting;
  const { environment, architecture, prices } = options;
  const { memoryMb, threads, readsFrom, writesTo } = choice;
  const [writes, files] = [stores[writesTo], stores['s3-standard']];
  const ofRequest = options.request === 's3' ? demand.requestGets : 0;
  const between = readsFrom === 'request' ? files : stores[readsFrom];
  // Of several reads, the slowest decides.
  const reads = ofRequest > 0 ? files : between;
  const { gets, readBytes, puts, writeBytes, payloadBytes } = transfersOf(options, demand, choice);

  const call = callTiming({ ...demand, writeBytes }, memoryMb, threads, gets + puts, readBytes, host);
  const load = loadTiming(demand, memoryMb, host);
  // The first request of a call opens a connection.
  const connectMs = gets > 0 ? reads.firstGetMs : puts * writes.firstPutMs;
  const transferMs = call.overheadMs + call.readMs + call.writeMs + connectMs;
  const warmMs = call.computeMs + transferMs + payloadMs(payloadBytes, options.stateMachineType, environment);
  const fetchMs = files.firstGetMs + files.get.mean + load.downloadMs;
  const warmUps = (choice.isWarmedUp ?? (options.warmUp && readsFrom !== 'request')) ? 1 : 0;
  // A call that loads its slice meanwhile waits for the first byte of its tensors. Their bytes share the network with the files.
  const overlapMs = warmUps > 0 || gets === 0 ? 0 : Math.min(fetchMs, connectMs + reads.medianGetMs);
  const loadMs = load.initMs + fetchMs + load.sessionMs - overlapMs;

  const warmUpMs = warmUps * singleThreadMs(environment.handler.callCpuMs, vcpuShare(memoryMb, environment));
  const waitMs = (gets > 0 ? reads.get.mean : 0) + puts * writes.put.mean;
  const rate = durationRate(memoryMb, architecture, prices);
  const tmpDollars = tmpRate(demand.fileBytes, prices, environment);
  const lines = logLines(options, warmUps);
  const itemsOf = (computeMs: number, startMs: number, fileGets: number, logs: number): LineItems => ({
    ...NO_ITEMS,
    // The function is called for the slice and for a warm-up. The first slice is called at once, without one.
    lambdaRequests: ((1 + warmUps) * prices.lambda.requests) / 1e6,
    lambdaCompute: computeMs * rate,
    lambdaLoad: startMs * rate,
    lambdaTransfer: (transferMs + waitMs) * rate,
    ephemeralStorage: (computeMs + startMs + (transferMs + waitMs)) * tmpDollars,
    s3Puts: puts * writes.putDollars,
    s3Gets: (gets - ofRequest) * between.getDollars + (ofRequest + fileGets) * files.getDollars,
    s3Bytes: writeBytes * writes.uploadDollarsPerByte + readBytes * between.downloadDollarsPerByte,
    ...keptTensors(setting, { requestBytes: demand.requestBytes, readBytes, writeBytes }, choice),
    logs,
  });
  const warmItems = itemsOf(call.computeMs, warmUpMs, 0, lines.warm);
  const fileParts = fileGets(demand, environment);
  const coldItems = itemsOf(call.computeMs + load.firstRunMs, warmUpMs + loadMs, fileParts, lines.cold);
  return {
    warmDollars: sumOfItems(warmItems),
    coldDollars: sumOfItems(coldItems),
    ...{ warmItems, coldItems, warmMs, loadMs: load.placementMs + loadMs, coldMs: warmMs + load.firstRunMs },
  };
}

/** GETs of the graph and of the weights, which are two objects. */
function fileGets({ fileBytes, graphBytes = 0 }: SliceDemand, { handler }: Environment): number {
  const partsOf = (bytes: number): number => Math.ceil(bytes / (handler.partMb * MIB));
  return partsOf(graphBytes) + partsOf(fileBytes - graphBytes);
}

/** Dollars of the log lines of a slice's call and of its warm-up, of which the first in a new sandbox has more. */
function logLines({ environment: { logs }, prices }: Required<CostOptions>, warmUps: number) {
  const bytes = logs.callBytes + logs.lineBytes + warmUps * (logs.callBytes + logs.warmUpBytes);
  return { warm: logDollars(bytes, prices), cold: logDollars(bytes + logs.startBytes, prices) };
}

/** The storage of what a slice writes and of the request, and what the caller pays for its own request and result. */
function keptTensors(
  { options, stores }: StepSetting,
  { readBytes, writeBytes, requestBytes }: Pick<SliceDemand, 'readBytes' | 'writeBytes' | 'requestBytes'>,
  { readsFrom, writesTo, writesResult }: StepChoice,
): Pick<LineItems, 'tensorStorage' | 'callerPuts' | 'callerGets'> {
  const { request, result, outputRetentionDays, intermediateRetentionDays } = options;
  const standard = stores['s3-standard'];
  const isUploaded = readsFrom === 'request' && request === 's3';
  const keptBytes = requestBytes ?? (readsFrom === 'request' ? readBytes : 0);
  const ofRequest = request === 's3' ? keptBytes * standard.dollarsPerByteAndDay * outputRetentionDays : 0;
  const days = writesResult ? outputRetentionDays : intermediateRetentionDays;
  return {
    tensorStorage: writeBytes * stores[writesTo].dollarsPerByteAndDay * days + ofRequest,
    callerPuts: isUploaded ? standard.putDollars : 0,
    callerGets: writesResult && result === 's3' ? standard.getDollars : 0,
  };
}

function transfersOf(
  { request }: Required<CostOptions>,
  { gets, requestGets, readBytes, writeBytes }: SliceDemand,
  { readsFrom, inState }: StepChoice,
) {
  const isInline = readsFrom === 'request' && request === 'inline';
  const sent = { gets: gets - (inState?.gets ?? 0) + (request === 's3' ? requestGets : 0) };
  const reads = isInline
    ? { ...sent, readBytes: 0, payloadBytes: readBytes }
    : {
        ...sent,
        readBytes: readBytes - (inState?.readBytes ?? 0),
        payloadBytes: inState?.characters ?? 0,
      };
  return inState?.isAnswered ? { ...reads, puts: 0, writeBytes: 0 } : { ...reads, puts: 1, writeBytes };
}
