/** One Lambda function that runs the whole model, called without a state machine; packagings differ in how it starts. */
import { durationRate, initMs, MIB, tmpMb, tmpRate, visibleVcpus } from '../formulas/lambda';
import { storagePerMonth, storesOf } from '../formulas/s3';
import { type LoadTiming, callTiming, hostOf, loadTiming } from '../formulas/slice-timing';
import { LatencyDistribution } from '../latency/latency-distribution';
import {
  type AlternativeSetting,
  type AlternativeSize,
  type Service,
  type WholeModel,
  payPerRun,
} from './alternative';
import { exceeding, inMb, memoryBreaks } from './wording';

/** Memory sizes at which the processors of a function change, in MB. */
const SIZES = [512, 1024, 1769, 2048, 3008, 3538, 5307, 7076, 8845, 10_240];

/** MB of an image without the weights: Lambda's base image for Node.js, ONNX Runtime and the handler. Believed. */
const BARE_IMAGE_MB = 250;

/** Bytes of base64 for each byte. */
const BASE64 = 4 / 3;

interface Start {
  /** The part of a cold start that Lambda bills as duration. */
  readonly billedMs: number;
  /** A part of it that varies. */
  readonly random?: LatencyDistribution;
  readonly requestDollars: number;
}

interface Packaging extends Omit<Service, 'sizes'> {
  readonly tmpBytes: number;
  readonly breaks: readonly string[];
  start(load: LoadTiming): Start;
  /** Of a month. */
  readonly storageDollars: number;
}

/** The packagings of a function: a zip that loads the weights from S3, and an image that has them. */
export function lambdaFunctions(model: WholeModel, setting: AlternativeSetting): Service[] {
  const { lambda } = setting.options.environment;
  const most = Math.min(lambda.maxMemoryMb, setting.targets.maxMemoryMb ?? Infinity);
  const least = Math.max(lambda.minMemoryMb, Math.ceil(model.peakMemoryMb));
  const memory = [least, ...SIZES.filter((size) => size > least && size <= most)];
  return [zipFromS3(model, setting), image(model, setting)].map((packaging) => {
    const { id, name, notes } = packaging;
    const sizes = memory.map((memoryMb) => functionOf(model, setting, packaging, memoryMb, most));
    return { id, name, notes, sizes };
  });
}

function zipFromS3({ fileBytes }: WholeModel, { options }: AlternativeSetting): Packaging {
  const { prices, environment } = options;
  const store = storesOf(prices, environment)['s3-standard'];
  const parts = Math.ceil(fileBytes / (environment.handler.partMb * MIB));
  return {
    id: 'one-function',
    name: 'one Lambda function with weights from S3',
    notes: [],
    tmpBytes: fileBytes,
    breaks: exceeding(
      tmpMb(fileBytes, environment),
      environment.lambda.maxTmpMb,
      (needed, most) => `the weights need ${needed} of /tmp, and a function has at most ${most}`,
    ),
    start: (load) => ({
      billedMs: load.initMs + store.firstGetMs + store.get.mean + load.downloadMs + load.sessionMs,
      random: store.get,
      requestDollars: parts * store.getDollars,
    }),
    storageDollars: storagePerMonth(fileBytes, prices),
  };
}

function image({ fileBytes }: WholeModel, { options }: AlternativeSetting): Packaging {
  const { prices, environment, architecture } = options;
  const { maxImageMb, imageReads } = environment.lambda;
  const weightsMb = fileBytes / MIB;
  const imageMb = weightsMb + BARE_IMAGE_MB;
  return {
    id: 'container-image',
    name: 'one Lambda function in a container image',
    notes: [
      'the image must be built and pushed with Docker',
      'how fast a new sandbox reads its image is a guess',
    ],
    tmpBytes: 0,
    breaks: exceeding(
      imageMb,
      maxImageMb,
      (needed, most) => `the image has ${needed} (${inMb(weightsMb)} of weights), and Lambda allows ${most}`,
    ),
    start: ({ sessionMs }) => ({
      billedMs: initMs(architecture, 'image', environment) + (weightsMb / imageReads) * 1000 + sessionMs,
      requestDollars: 0,
    }),
    storageDollars: (imageMb / 1024) * prices.ecr.storage,
  };
}

function functionOf(
  model: WholeModel,
  setting: AlternativeSetting,
  packaging: Packaging,
  memoryMb: number,
  mostMemoryMb: number,
): AlternativeSize {
  const { options } = setting;
  const { prices, environment } = options;
  const { maxPayloadMb, maxSeconds, invokeMs } = environment.lambda;
  const host = hostOf(options);
  const load = loadTiming(model.fileBytes, memoryMb, host);
  const start = packaging.start(load);
  const store = storesOf(prices, environment)['s3-standard'];
  const isInline = (bytes: number): boolean => bytes * BASE64 <= maxPayloadMb * MIB;
  const reads = isInline(model.requestBytes) ? 0 : 1;
  const writes = !setting.resultInS3 && isInline(model.responseBytes) ? 0 : 1;
  const readBytes = reads * model.requestBytes;
  const writeBytes = writes * model.responseBytes;
  const demand = { ...model, memoryMb: model.peakMemoryMb, readTensors: reads, readBytes, writeBytes };
  const threads = visibleVcpus(memoryMb, environment);
  const call = callTiming(demand, memoryMb, threads, reads + writes, readBytes, host);
  const connectMs = reads > 0 ? store.firstGetMs : writes * store.firstPutMs;
  const s3 = store.get.times(reads).plus(store.put.times(writes));
  const callMs = call.overheadMs + call.readMs + call.computeMs + call.writeMs + connectMs;
  const rate =
    durationRate(memoryMb, options.architecture, prices) + tmpRate(packaging.tmpBytes, prices, environment);
  const storedDollars = model.responseBytes * store.dollarsPerByteAndDay * options.intermediateRetentionDays;
  const billedMs = callMs + s3.mean;
  const dollars =
    prices.lambda.requests / 1e6 +
    reads * store.getDollars +
    writes * (store.putDollars + storedDollars) +
    billedMs * rate;
  const way = LatencyDistribution.fromPercentiles(invokeMs).plus(s3);
  const startMs = load.placementMs + start.billedMs - (start.random?.mean ?? 0) + load.firstRunMs;
  const warm = { dollars, time: way.shift(callMs) };
  const cold = {
    dollars: dollars + (start.billedMs + load.firstRunMs) * rate + start.requestDollars,
    time: (start.random ? way.plus(start.random) : way).shift(callMs + startMs),
  };
  return {
    nameAt: () => inMb(memoryMb),
    breaks: [
      ...memoryBreaks(memoryMb, 'one function', mostMemoryMb),
      ...(billedMs + startMs > maxSeconds * 1000 ? [`a call may take at most ${maxSeconds} s`] : []),
      ...packaging.breaks,
    ],
    ...{ warm, cold },
    dollarsPerMonth: payPerRun(warm, cold, packaging.storageDollars),
  };
}
