/** Services that stop between requests: Lambda MicroVMs, and SageMaker Serverless Inference. */
import { computeMs, MIB } from '../formulas/lambda';
import { GIB, storagePerMonth } from '../formulas/s3';
import { hostOf, loadTiming } from '../formulas/slice-timing';
import { LatencyDistribution } from '../latency/latency-distribution';
import {
  type AlternativeSetting,
  type AlternativeSize,
  type Service,
  type WholeModel,
  HOURS_PER_MONTH,
  payPerRun,
} from './alternative';
import { imageGb, imageMb } from './lambda-function';
import { exceeding, grouped, inMb, inMs, memoryBreaks } from './wording';

/** GB of memory that are charged while a machine runs, and of its disk. https://docs.aws.amazon.com/lambda/latest/dg/microvms-images.html */
const MACHINES: readonly (readonly [baselineGb: number, diskGb: number])[] = [
  [0.5, 8],
  [1, 8],
  [2, 8],
  [4, 16],
  [8, 32],
];

/** Steps of an endpoint's memory in MB. https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html */
const STEP_MB = 1024;

export function microVm(model: WholeModel, setting: AlternativeSetting): Service {
  const { microVms, lambda } = setting.options.environment;
  const breaksOf = (baselineGb: number, diskGb: number): string[] => [
    ...memoryBreaks(model.peakMemoryMb, 'a machine', baselineGb * microVms.peak * 1024),
    ...exceeding(
      imageMb(model),
      diskGb * 1024,
      (image, disk) => `the image has ${image}, and a machine has ${disk} of disk`,
    ),
  ];
  const machines = MACHINES.map(([baselineGb, diskGb]) => ({
    baselineGb,
    breaks: breaksOf(baselineGb, diskGb),
  }));
  const fitting = machines.filter(({ breaks }) => breaks.length === 0);
  return {
    id: 'micro-vm',
    name: 'a Lambda MicroVM',
    notes: [
      `suspended when no request has come for ${grouped(lambda.keepAliveSeconds)} s`,
      'the caller maps requests to machines, and starts a new one after eight hours at most',
      'arm64 only, in five regions; other processors may compute other last bits',
      'no source was found for the size of its snapshots, nor for the resume of large ones',
    ],
    guess: 'the size of its snapshots, and how fast large ones resume, are guesses',
    sizes: (fitting.length > 0 ? fitting : machines.slice(-1)).map(({ baselineGb, breaks }) => ({
      breaks,
      ...machineOf(model, setting, baselineGb),
    })),
  };
}

/**
 * A machine is charged by the second while it runs: its baseline at least, and what it uses above it. It runs until T seconds
 * after a response of b seconds, or until the next request. With r requests a second at random, these are
 * (1 - e^-r(b + T)) / r seconds for each request. T is the time for which Lambda keeps idle functions, so that as many requests
 * find a suspended machine as find no function.
 */
function machineOf(
  model: WholeModel,
  { options }: AlternativeSetting,
  baselineGb: number,
): Omit<AlternativeSize, 'breaks'> {
  const { prices, environment } = options;
  const { microVms: price } = prices;
  const { peak, mbPerVcpu, resumeMs, snapshotReads, endpointRate } = environment.microVms;
  const baselineVcpus = (baselineGb * 1024) / mbPerVcpu;
  const vcpus = baselineVcpus * peak;
  const coreSeconds = model.coreSeconds / environment.processor.armSpeed;
  const computing = computeMs(coreSeconds, Math.max(1, Math.floor(vcpus)), vcpus, environment);
  const bytes = model.requestBytes + model.responseBytes;
  const busyMs = computing + bytes / (endpointRate * baselineGb * 1000);
  const usedGb = model.peakMemoryMb / 1024;
  // The weights stay in memory. All processors are in use while the machine computes.
  const runningDollars = baselineVcpus * price.vcpuSecond + Math.max(baselineGb, usedGb) * price.gbSecond;
  const burstDollars = (computing / 1000) * (vcpus - baselineVcpus) * price.vcpuSecond;
  const cycleDollars = usedGb * (price.snapshotRead + price.snapshotWrite);
  const machinesAt = (rate: number): number =>
    Math.max(1, Math.ceil(((rate / 3600) * (busyMs / 1000)) / environment.alwaysOn.utilization));
  const snapshotGb = imageGb(model) + usedGb;
  const way = LatencyDistribution.fromPercentiles(environment.lambda.invokeMs).shift(busyMs);
  const startMs = Math.max(resumeMs, ((usedGb * GIB) / (snapshotReads * 1e6)) * 1000);
  return {
    nameAt: (rate) => {
      const machines = machinesAt(rate);
      return `${grouped(machines)} ${machines === 1 ? 'machine' : 'machines'} of up to ${vcpus} vCPU and ${inMb(baselineGb * peak * 1024)}`;
    },
    // Seconds without a request are charged too, so a run has no price of its own.
    warm: { time: way },
    cold: { time: way.shift(startMs) },
    dollarsPerMonth: (rate, coldShare) => {
      const machines = machinesAt(rate);
      const perSecond = rate / 3600 / machines;
      const most = busyMs / 1000 + environment.lambda.keepAliveSeconds;
      const running = perSecond === 0 ? most : -Math.expm1(-perSecond * most) / perSecond;
      const perRequest = running * runningDollars + burstDollars + coldShare * cycleDollars;
      return HOURS_PER_MONTH * rate * perRequest + (snapshotGb + machines * usedGb) * price.snapshotStorage;
    },
  };
}

export function sageMakerServerless(model: WholeModel, setting: AlternativeSetting): Service {
  const { maxMemoryMb, coldStartMs } = setting.options.environment.sageMaker;
  const least = Math.max(STEP_MB, Math.ceil(model.peakMemoryMb / STEP_MB) * STEP_MB);
  const sizes = [least];
  for (let size = least + STEP_MB; size <= maxMemoryMb; size += STEP_MB) sizes.push(size);
  return {
    id: 'sagemaker-serverless',
    name: 'SageMaker Serverless Inference',
    notes: [
      `no source was found for the time of a cold start: ${inMs(coldStartMs)}, besides loading, is a guess`,
      'that AWS does not charge for cold starts is a guess',
    ],
    guess: 'the time of its cold starts, and that they cost nothing, are guesses',
    sizes: sizes.map((size) => endpointOf(model, setting, size)),
  };
}

function endpointOf(model: WholeModel, { options }: AlternativeSetting, memoryMb: number): AlternativeSize {
  const { prices, environment } = options;
  const { sageMaker, lambda } = environment;
  const { maxMemoryMb, maxPayloadMb, maxSeconds } = sageMaker;
  const vcpus = memoryMb / sageMaker.mbPerVcpu;
  const busyMs = computeMs(model.coreSeconds, Math.max(1, Math.floor(vcpus)), vcpus, environment);
  const load = loadTiming(model.fileBytes, vcpus * lambda.mbPerVcpu, hostOf(options));
  const startMs = sageMaker.coldStartMs + load.downloadMs + load.sessionMs + load.firstRunMs;
  const way = LatencyDistribution.fromPercentiles(lambda.invokeMs);
  const dollars =
    (busyMs / 1000) * (memoryMb / 1024) * prices.sageMaker.gbSecond +
    ((model.requestBytes + model.responseBytes) / GIB) * prices.sageMaker.data;
  const warm = { dollars, time: way.shift(busyMs) };
  const cold = { dollars, time: way.shift(busyMs + startMs) };
  const payloadMb = Math.max(model.requestBytes, model.responseBytes) / MIB;
  return {
    nameAt: () => inMb(memoryMb),
    breaks: [
      ...(memoryMb > maxMemoryMb
        ? [`the model needs ${inMb(model.peakMemoryMb)}, and an endpoint has at most ${inMb(maxMemoryMb)}`]
        : []),
      ...(payloadMb > maxPayloadMb
        ? [
            `a request or result has ${payloadMb.toFixed(1)} MB, and the endpoint takes at most ${maxPayloadMb} MB`,
          ]
        : []),
      ...(busyMs > maxSeconds * 1000 ? [`a request may take at most ${maxSeconds} s`] : []),
    ],
    ...{ warm, cold },
    dollarsPerMonth: payPerRun(warm, cold, storagePerMonth(model.fileBytes, prices)),
  };
}
