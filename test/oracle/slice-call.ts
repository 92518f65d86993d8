/** What one call of a slice costs and takes, by the words of docs/costs.md and AWS's price pages. */
import { constant, pairs, price } from './constants';
import { type Percentiles, at, meanOf } from './delays';
import type { Fn, PlanFile, State } from './deployment';
import { bytesOf, charactersOf, getsOf, readsOf, totalOf, writesOf } from './objects';
import { computingMs, eventMs, nodeMs, transferMs } from './speeds';

export interface Choices {
  /** By slice, of `plan --json`: seconds on one vCPU. */
  readonly coreSeconds: readonly number[];
  /** By slice: bytes of the weights that matrix products read. */
  readonly productWeights: readonly number[];
  readonly isExpress: boolean;
  /** Where tensors between slices are. */
  readonly store: 'standard' | 'express';
  readonly isRequestInline: boolean;
  readonly isResultInline: boolean;
  readonly betweenDays: number;
  readonly outputDays: number;
}

export interface SliceCall {
  /** Dollars of all calls of the function in a run, with its requests and tensors in S3. */
  readonly warmDollars: number;
  readonly coldDollars: number;
  /** Milliseconds without random delays. */
  readonly warmMs: number;
  /** From the start of a new sandbox until the slice is loaded. */
  readonly loadMs: number;
  /** What the first run takes longer. */
  readonly firstMs: number;
  readonly delays: readonly Percentiles[];
}

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const DAYS_OF_A_MONTH = 365 / 12;

/** Dollars of a call in which a function of this size is busy. */
export function lambdaDollars({ memoryMb, isArm, tmpMb }: Fn, ms: number): number {
  const perGbSecond = price(isArm ? 'lambda.armGbSecond' : 'lambda.x86GbSecond');
  const chargedTmp = Math.max(0, tmpMb - constant('lambda.freeTmpMb'));
  return (ms / 1000) * ((memoryMb / 1024) * perGbSecond + (chargedTmp / 1024) * price('lambda.tmpGbSecond'));
}

export const callDollars = (calls: number): number => (calls / 1e6) * price('lambda.requests');

export const logDollars = (bytes: number): number => (bytes / GIB) * price('cloudWatch.logs');

export function storedDollars(store: Choices['store'], bytes: number, days: number): number {
  return (bytes / GIB) * price(`s3.${store}Storage`) * (days / DAYS_OF_A_MONTH);
}

/** Node.js and the handler, then ONNX Runtime. Both are billed. */
export const initMs = ({ isArm }: Fn): { readonly node: number; readonly runtime: number } => ({
  node: constant(isArm ? 'lambda.armInitMs' : 'lambda.x86InitMs'),
  runtime: constant('lambda.runtimeLoadMs'),
});

export const requestDollars = (kind: 'Puts' | 'Gets', store: Choices['store'], count: number): number =>
  (count / 1e6) * price(`s3.${store}${kind}`);

const delayOf = (kind: 'Put' | 'Get', store: Choices['store']): Percentiles => pairs(`s3.${store}${kind}`);

/** The first request of a call takes longer, because it opens a connection. */
function connectingMs(kind: 'Put' | 'Get', store: Choices['store']): number {
  return Math.max(0, constant(`s3.${store}First${kind}Ms`) - at(delayOf(kind, store), 50));
}

/** Billed milliseconds of the load after the init phase, and the GETs of both files. */
export function fetchOf(fn: Fn, file: PlanFile['slices'][number], productBytes: number, prepacks: boolean) {
  const sizes = [file.model.bytes, ...(file.weights ? [file.weights.bytes] : [])];
  const bytes = sizes.reduce((sum, size) => sum + size);
  const packed = prepacks ? productBytes : 0;
  const session =
    constant('handler.sessionCpuMs') +
    (constant('handler.sessionCpu') * bytes + constant('handler.prepackCpu') * packed) / 1e6;
  const touched =
    constant('handler.firstRun') * (bytes - packed) + constant('handler.firstTouch') * file.activationBytes;
  return {
    firstByteMs: connectingMs('Get', 'standard') + meanOf(delayOf('Get', 'standard')),
    downloadMs: transferMs(fn, bytes),
    sessionMs: nodeMs(fn, session),
    firstMs: nodeMs(fn, touched / 1e6),
    gets: sizes.reduce((sum, size) => sum + Math.ceil(size / (constant('handler.partMb') * MIB)), 0),
  };
}

/** All of it is billed. */
export function loadingMs(fn: Fn, load: ReturnType<typeof fetchOf>): number {
  const init = initMs(fn);
  return init.node + init.runtime + load.firstByteMs + load.downloadMs + load.sessionMs;
}

export function sliceCall(
  plan: PlanFile,
  { fn, slice, inEvent, mayAnswer }: Extract<State, { kind: 'call' }>,
  isWarmedUp: boolean,
  choices: Choices,
): SliceCall {
  const isLast = slice === plan.slices.length - 1;
  const written = writesOf(plan, slice);
  const target = isLast ? 'standard' : choices.store;
  const moved = movedBytes(plan, slice, inEvent, choices);
  const writtenBytes = mayAnswer ? 0 : totalOf(plan, written);
  const gets = moved.standardGets + moved.expressGets;
  const source = moved.standardGets > 0 ? 'standard' : 'express';

  const node = nodeMs(
    fn,
    constant('handler.callCpuMs') + (gets + (mayAnswer ? 0 : 1)) * constant('handler.requestCpuMs'),
  );
  const computed = totalOf(plan, plan.slices[slice].outputs);
  const connecting = gets > 0 ? connectingMs('Get', source) : mayAnswer ? 0 : connectingMs('Put', target);
  const busy =
    node +
    connecting +
    transferMs(fn, moved.bytes) +
    computingMs(fn, choices.coreSeconds[slice], computed) +
    transferMs(fn, writtenBytes);
  const delays = [
    ...(gets > 0 ? [delayOf('Get', source)] : []),
    ...(mayAnswer ? [] : [delayOf('Put', target)]),
  ];
  const waiting = delays.reduce((sum, delay) => sum + meanOf(delay), 0);

  const load = fetchOf(fn, plan.slices[slice], choices.productWeights[slice], plan.prepacking ?? true);
  // A call that loads its slice itself waits for its tensors meanwhile.
  const waitMs = isWarmedUp || gets === 0 ? 0 : connecting + at(delayOf('Get', source), 50);
  const loadMs = loadingMs(fn, load) - Math.min(load.firstByteMs + load.downloadMs, waitMs);

  const warmUpMs = isWarmedUp ? nodeMs(fn, constant('handler.callCpuMs')) : 0;
  const always =
    callDollars(isWarmedUp ? 2 : 1) +
    logDollars(linesOf(isWarmedUp)) +
    (mayAnswer ? 0 : requestDollars('Puts', target, 1)) +
    requestDollars('Gets', 'standard', moved.standardGets) +
    requestDollars('Gets', 'express', moved.expressGets) +
    (target === 'express' ? (writtenBytes / GIB) * price('s3.expressUploads') : 0) +
    (moved.expressBytes / GIB) * price('s3.expressDownloads') +
    storedDollars(target, writtenBytes, isLast ? choices.outputDays : choices.betweenDays);
  return {
    warmDollars: always + lambdaDollars(fn, busy + waiting + warmUpMs),
    coldDollars:
      always +
      lambdaDollars(fn, busy + waiting + warmUpMs + loadMs + load.firstMs) +
      requestDollars('Gets', 'standard', load.gets) +
      logDollars(constant('logs.startBytes')),
    warmMs: busy + eventMs(choices.isExpress, moved.eventCharacters),
    loadMs: constant('lambda.placementMs') + loadMs,
    firstMs: load.firstMs,
    delays,
  };
}

function linesOf(isWarmedUp: boolean): number {
  const warmUp = constant('logs.callBytes') + constant('logs.warmUpBytes');
  return constant('logs.callBytes') + constant('logs.lineBytes') + (isWarmedUp ? warmUp : 0);
}

/** What a slice reads from S3, by the kind of bucket, and what its event holds instead. */
function movedBytes(plan: PlanFile, slice: number, inEvent: readonly number[], choices: Choices) {
  const moved = { bytes: 0, expressBytes: 0, standardGets: 0, expressGets: 0, eventCharacters: 0 };
  const reads = readsOf(plan, slice);
  // The first slice checks the request in any case.
  const ofRequest = reads.get(-1) ?? (slice === 0 ? [] : undefined);
  if (ofRequest !== undefined && choices.isRequestInline)
    moved.eventCharacters += (4 / 3) * totalOf(plan, ofRequest);
  else if (ofRequest !== undefined) {
    moved.bytes += totalOf(plan, ofRequest);
    moved.standardGets += getsOf(plan, plan.inputs, ofRequest);
  }
  for (const [source, tensors] of reads) {
    if (source === -1) continue;
    const { outputs } = plan.slices[source];
    if (inEvent.includes(source)) {
      moved.eventCharacters += charactersOf(plan, outputs);
      continue;
    }
    const bytes = tensors.reduce((sum, tensor) => sum + bytesOf(plan, tensor), 0);
    const gets = getsOf(plan, outputs, tensors);
    moved.bytes += bytes;
    if (choices.store === 'express') {
      moved.expressBytes += bytes;
      moved.expressGets += gets;
    } else moved.standardGets += gets;
  }
  return moved;
}
