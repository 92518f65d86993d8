/** One Lambda function that loads the whole model from S3, called without a state machine. */
import { durationRate, logDollars, MIB, tmpMb, tmpRate, visibleVcpus } from '../formulas/lambda';
import { storagePerMonth, storesOf } from '../formulas/s3';
import { callTiming, hostOf, loadTiming } from '../formulas/slice-timing';
import { LatencyDistribution } from '../latency/latency-distribution';
import {
  type AlternativeSetting,
  type AlternativeSize,
  type Service,
  type WholeModel,
  payPerRun,
} from './alternative';
import { inMb, memoryBreaks } from './wording';

/** Memory sizes at which the processors of a function change, in MB. */
const SIZES = [512, 1024, 1769, 2048, 3008, 3538, 5307, 7076, 8845, 10_240];

/** Bytes of base64 for each byte. */
const BASE64 = 4 / 3;

export function lambdaFunction(model: WholeModel, setting: AlternativeSetting): Service {
  const { lambda } = setting.options.environment;
  const most = Math.min(lambda.maxMemoryMb, setting.targets.maxMemoryMb ?? Infinity);
  const least = Math.max(lambda.minMemoryMb, Math.ceil(model.peakMemoryMb));
  const memory = [least, ...[...SIZES.filter((size) => size < most), most].filter((size) => size > least)];
  return {
    id: 'one-function',
    name: 'one Lambda function',
    notes: [],
    sizes: memory.map((memoryMb) => functionOf(model, setting, memoryMb, most)),
  };
}

function functionOf(
  model: WholeModel,
  { options }: AlternativeSetting,
  memoryMb: number,
  mostMemoryMb: number,
): AlternativeSize {
  const { fileBytes, peakMemoryMb, requestBytes, responseBytes } = model;
  const { prices, environment } = options;
  const { callBytes, startBytes } = environment.logs;
  const { maxPayloadMb, maxSeconds, maxTmpMb, invokeMs } = environment.lambda;
  const host = hostOf(options);
  const load = loadTiming(model, memoryMb, host);
  const store = storesOf(prices, environment)['s3-standard'];
  const isInline = (bytes: number): boolean => bytes * BASE64 <= maxPayloadMb * MIB;
  const [reads, writes] = [requestBytes, responseBytes].map((bytes) => (isInline(bytes) ? 0 : 1));
  const readBytes = reads * requestBytes;
  const writeBytes = writes * responseBytes;
  const demand = { ...model, memoryMb: peakMemoryMb, gets: 0, requestGets: reads, readBytes, writeBytes };
  const threads = visibleVcpus(memoryMb, environment);
  const call = callTiming(demand, memoryMb, threads, reads + writes, readBytes, host);
  const connectMs = reads > 0 ? store.firstGetMs : writes * store.firstPutMs;
  const s3 = store.get.times(reads).plus(store.put.times(writes));
  const callMs = call.overheadMs + call.readMs + call.computeMs + call.writeMs + connectMs;
  const rate = durationRate(memoryMb, options.architecture, prices) + tmpRate(fileBytes, prices, environment);
  const storedDollars = store.dollarsPerByteAndDay * options.outputRetentionDays;
  const billedMs = callMs + s3.mean;
  const dollars =
    prices.lambda.requests / 1e6 +
    // The caller writes the request, and reads the result.
    (reads + writes) * (store.putDollars + store.getDollars) +
    (readBytes + writeBytes) * storedDollars +
    logDollars(callBytes, prices) +
    billedMs * rate;
  const way = LatencyDistribution.fromPercentiles(invokeMs).plus(s3);
  // The wait for the first byte of the weights varies.
  const loadMs = load.initMs + store.firstGetMs + load.downloadMs + load.sessionMs + load.firstRunMs;
  const parts = Math.ceil(fileBytes / (environment.handler.partMb * MIB));
  const startDollars = parts * store.getDollars + logDollars(startBytes, prices);
  const warm = { dollars, time: way.shift(callMs) };
  const cold = {
    dollars: dollars + startDollars + (loadMs + store.get.mean) * rate,
    time: way.plus(store.get).shift(callMs + load.placementMs + loadMs),
  };
  const needed = tmpMb(fileBytes, environment);
  return {
    memoryMb,
    nameAt: () => inMb(memoryMb),
    breaks: [
      ...memoryBreaks(memoryMb, 'one function', mostMemoryMb),
      ...(billedMs + load.placementMs + loadMs > maxSeconds * 1000
        ? [`a call may take at most ${maxSeconds} s`]
        : []),
      ...(needed > maxTmpMb
        ? [`the weights need ${inMb(needed)} of /tmp, and a function has at most ${inMb(maxTmpMb)}`]
        : []),
    ],
    ...{ warm, cold },
    dollarsPerMonth: payPerRun(warm, cold, storagePerMonth(fileBytes, prices)),
  };
}
