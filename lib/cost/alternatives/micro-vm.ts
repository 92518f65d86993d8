/** Lambda MicroVMs: a virtual machine with the whole model in memory, which is suspended between requests. */
import { computeMs, MIB } from '../formulas/lambda';
import { GIB } from '../formulas/s3';
import { LatencyDistribution } from '../latency/latency-distribution';
import {
  type Alternative,
  type AlternativeSetting,
  type AlternativeSize,
  type WholeModel,
  HOURS_PER_MONTH,
} from './alternative';
import { imageMb } from './container-image';
import { alternativeOf } from './sizes';
import { grouped, inMb } from './wording';

/** GB of memory that are charged while a machine runs, and of its disk. https://docs.aws.amazon.com/lambda/latest/dg/microvms-images.html */
const SIZES = [
  { baselineGb: 0.5, diskGb: 8 },
  { baselineGb: 1, diskGb: 8 },
  { baselineGb: 2, diskGb: 8 },
  { baselineGb: 4, diskGb: 16 },
  { baselineGb: 8, diskGb: 32 },
] as const;

type Size = (typeof SIZES)[number];

export function microVm(model: WholeModel, setting: AlternativeSetting): Alternative {
  const { microVms, lambda } = setting.options.environment;
  const { peak } = microVms;
  const fitting = SIZES.filter((size) => missing(model, size, peak).length === 0);
  return alternativeOf(
    setting,
    {
      id: 'micro-vm',
      name: 'a Lambda MicroVM',
      notes: [
        `suspended when no request has come for ${grouped(lambda.keepAliveSeconds)} s`,
        'the caller maps requests to machines, and starts a new one after eight hours at most',
        'arm64 only, in five regions; other processors may compute other last bits',
        'no source was found for the size of its snapshots, nor for the resume of large ones',
      ],
      guess: 'the size of its snapshots, and how fast large ones resume, are guesses',
    },
    (fitting.length > 0 ? fitting : SIZES.slice(-1)).map((size) => machineOf(model, setting, size)),
  );
}

function missing(model: WholeModel, { baselineGb, diskGb }: Size, peak: number): string[] {
  const [memoryMb, diskMb, image] = [baselineGb * peak * 1024, diskGb * 1024, imageMb(model)];
  return [
    ...(model.peakMemoryMb > memoryMb
      ? [`the model needs ${inMb(model.peakMemoryMb)}, and a machine has at most ${inMb(memoryMb)}`]
      : []),
    ...(image > diskMb ? [`the image has ${inMb(image)}, and a machine has ${inMb(diskMb)} of disk`] : []),
  ];
}

/**
 * A machine is charged by the second while it runs: its baseline at least, and what it uses above it. It runs until T seconds
 * after a response of b seconds, or until the next request. With r requests a second at random, these are
 * (1 - e^-r(b + T)) / r seconds for each request. T is the time for which Lambda keeps idle functions, so that as many requests
 * find a suspended machine as find no function.
 */
function machineOf(model: WholeModel, setting: AlternativeSetting, size: Size): AlternativeSize {
  const { prices, environment } = setting.options;
  const { microVms: price } = prices;
  const { peak, mbPerVcpu, resumeMs, snapshotReads, endpointRate } = environment.microVms;
  const { baselineGb } = size;
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
  const imageGb = (imageMb(model) * MIB) / GIB + usedGb;
  const way = LatencyDistribution.fromPercentiles(environment.lambda.invokeMs).shift(busyMs);
  const startMs = Math.max(resumeMs, ((usedGb * GIB) / (snapshotReads * 1e6)) * 1000);
  return {
    nameAt: (rate) => {
      const machines = machinesAt(rate);
      return `${grouped(machines)} ${machines === 1 ? 'machine' : 'machines'} of up to ${vcpus} vCPU and ${inMb(baselineGb * peak * 1024)}`;
    },
    breaks: missing(model, size, peak),
    // Seconds without a request are charged too, so a run has no price of its own.
    warm: { time: way },
    cold: { time: way.shift(startMs) },
    dollarsPerMonth: (rate, coldShare) => {
      const machines = machinesAt(rate);
      const perSecond = rate / 3600 / machines;
      const most = busyMs / 1000 + environment.lambda.keepAliveSeconds;
      const running = perSecond === 0 ? most : -Math.expm1(-perSecond * most) / perSecond;
      const perRequest = running * runningDollars + burstDollars + coldShare * cycleDollars;
      return HOURS_PER_MONTH * rate * perRequest + (imageGb + machines * usedGb) * price.snapshotStorage;
    },
  };
}
