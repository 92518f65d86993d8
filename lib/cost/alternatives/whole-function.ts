/** One Lambda function that runs the whole model, called without a state machine; packagings differ in how it starts. */
import { durationRate, tmpRate, visibleVcpus } from '../formulas/lambda';
import { storesOf } from '../formulas/s3';
import { type CallTiming, type LoadTiming, callTiming, loadTiming } from '../formulas/slice-timing';
import { LatencyDistribution } from '../latency/latency-distribution';
import {
  type Alternative,
  type AlternativeName,
  type AlternativeSetting,
  type AlternativeSize,
  type PaidRun,
  type WholeModel,
  fitsInline,
  hostOf,
  payPerRun,
} from './alternative';
import { alternativeOf } from './sizes';
import { inMb } from './wording';

/** How a packaging starts a function. */
export interface Start {
  /** Time until the first run, besides `random`. */
  readonly ms: number;
  /** The part of it that Lambda bills as duration. */
  readonly billedMs: number;
  readonly random: LatencyDistribution;
  readonly requestDollars: number;
}

export interface Packaging extends AlternativeName {
  /** Files in `/tmp`. */
  readonly tmpBytes: number;
  readonly breaks: readonly string[];
  start(load: LoadTiming, memoryMb: number): Start;
  /** Dollars a month without runs. */
  standingDollars(memoryMb: number): number;
}

/** Memory sizes at which the processors of a function change, in MB. */
const SIZES = [512, 1024, 1769, 2048, 3008, 3538, 5307, 7076, 8845, 10_240];

export function wholeFunction(
  model: WholeModel,
  setting: AlternativeSetting,
  packaging: Packaging,
): Alternative {
  const { lambda } = setting.options.environment;
  const most = Math.min(lambda.maxMemoryMb, setting.targets.maxMemoryMb ?? Infinity);
  const least = Math.max(lambda.minMemoryMb, Math.ceil(model.peakMemoryMb));
  const sizes = [least, ...SIZES.filter((size) => size > least && size <= most)];
  const { id, name, notes, guess } = packaging;
  return alternativeOf(
    setting,
    { id, name, notes, guess },
    sizes.map((size) => functionOf(model, setting, packaging, size, most)),
  );
}

function functionOf(
  model: WholeModel,
  setting: AlternativeSetting,
  packaging: Packaging,
  memoryMb: number,
  mostMemoryMb: number,
): AlternativeSize {
  const { environment } = setting.options;
  const load = loadTiming(model.fileBytes, memoryMb, hostOf(setting));
  const start = packaging.start(load, memoryMb);
  const { warm, cold, longestMs } = runsOf(model, setting, packaging.tmpBytes, memoryMb, load, start);
  const breaks = [
    ...(memoryMb > mostMemoryMb
      ? [`the model needs ${inMb(memoryMb)}, and one function has at most ${inMb(mostMemoryMb)}`]
      : []),
    ...(longestMs > environment.lambda.maxSeconds * 1000
      ? [`a call may take at most ${environment.lambda.maxSeconds} s`]
      : []),
    ...packaging.breaks,
  ];
  return {
    nameAt: () => inMb(memoryMb),
    breaks,
    warm,
    cold,
    dollarsPerMonth: payPerRun(warm, cold, packaging.standingDollars(memoryMb)),
  };
}

interface Runs {
  readonly warm: PaidRun;
  readonly cold: PaidRun;
  /** Mean duration of the call of a cold run. */
  readonly longestMs: number;
}

function runsOf(
  model: WholeModel,
  setting: AlternativeSetting,
  tmpBytes: number,
  memoryMb: number,
  load: LoadTiming,
  start: Start,
): Runs {
  const { options } = setting;
  const { prices, environment } = options;
  const store = storesOf(prices, environment)['s3-standard'];
  const { maxPayloadMb } = environment.lambda;
  const reads = fitsInline(model.requestBytes, maxPayloadMb) ? 0 : 1;
  const writes = !setting.resultInS3 && fitsInline(model.responseBytes, maxPayloadMb) ? 0 : 1;
  const call = callTiming(
    {
      ...model,
      memoryMb: model.peakMemoryMb,
      readTensors: reads,
      readBytes: reads * model.requestBytes,
      writeBytes: writes * model.responseBytes,
    },
    memoryMb,
    visibleVcpus(memoryMb, environment),
    reads + writes,
    reads * model.requestBytes,
    hostOf(setting),
  );
  const connectMs = reads > 0 ? store.firstGetMs : writes * store.firstPutMs;
  const s3 = store.get.times(reads).plus(store.put.times(writes));
  const callMs = sumOfCall(call) + connectMs;
  const random = LatencyDistribution.fromPercentiles(environment.lambda.invokeMs).plus(s3);
  const rate = durationRate(memoryMb, options.architecture, prices) + tmpRate(tmpBytes, prices, environment);
  const billedMs = callMs + s3.mean;
  const tensorDays = options.intermediateRetentionDays;
  const dollars =
    prices.lambda.requests / 1e6 +
    reads * store.getDollars +
    writes * (store.putDollars + model.responseBytes * store.dollarsPerByteAndDay * tensorDays) +
    billedMs * rate;
  const addedMs = start.ms + load.firstRunMs;
  const coldTime = random.plus(start.random);
  return {
    warm: { dollars, time: random.shift(callMs) },
    cold: {
      dollars: dollars + (start.billedMs + load.firstRunMs) * rate + start.requestDollars,
      time: coldTime.shift(callMs + addedMs),
    },
    longestMs: billedMs + addedMs,
  };
}

function sumOfCall({ overheadMs, readMs, computeMs, writeMs }: CallTiming): number {
  return overheadMs + readMs + computeMs + writeMs;
}
