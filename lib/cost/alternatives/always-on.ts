/** Processors that are always on: as many as the rate of requests needs, and at least a number that never stops. */
import type { Pairs } from '../constants/constant';
import { computeMs } from '../formulas/lambda';
import { callTiming, hostOf } from '../formulas/slice-timing';
import { LatencyDistribution } from '../latency/latency-distribution';
import {
  type AlternativeSetting,
  type AlternativeSize,
  type Service,
  type WholeModel,
  HOURS_PER_MONTH,
} from './alternative';
import { grouped, memoryBreaks } from './wording';

/** vCPUs of the managed instances that this model considers, each with 4 GB of memory. */
const VCPUS = [2, 4, 8, 16];
const MB_PER_VCPU = 4096;

/** vCPUs of a g6.xlarge. */
const GPU_VCPUS = 4;

const MANAGED_NOTES = [
  'instances run all the time, three by default',
  'Lambda keeps processors idle so that requests may double at once',
];

/** vCPUs and GB of Fargate's tasks. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html */
const TASKS: readonly (readonly [vcpus: number, memoryGb: readonly number[]])[] = [
  [0.25, [0.5, 1, 2]],
  [0.5, steps(1, 4, 1)],
  [1, steps(2, 8, 1)],
  [2, steps(4, 16, 1)],
  [4, steps(8, 30, 1)],
  [8, steps(16, 60, 4)],
  [16, steps(32, 120, 8)],
];

const MOST_TASK_GB = 120;

interface AlwaysOnSize {
  readonly unit: string;
  readonly each: string;
  readonly vcpus: number;
  /** Requests that one instance serves side by side, each with its share of the vCPUs. */
  readonly concurrency: number;
  /** How often the processors do the work of that many vCPUs in the same time, such as on a GPU. @default 1 */
  readonly speed?: number;
  readonly utilization: number;
  readonly leastInstances: number;
  readonly wayMs: Pairs;
  dollarsPerHour(instances: number, requestsPerHour: number): number;
  readonly breaks: readonly string[];
}

/** Lambda Managed Instances: functions on EC2 instances that Lambda manages, with more memory, and with GPUs. */
export function managedInstances(model: WholeModel, setting: AlternativeSetting): Service[] {
  const { prices, environment, architecture } = setting.options;
  const { maxMemoryMb, maxVcpus, instances, utilization, gpuMemoryMb, gpuSpeed } =
    environment.managedInstances;
  const price = prices.managedInstances;
  const isArm = architecture === 'arm64';
  const wayMs = environment.lambda.invokeMs;
  const shared = { unit: 'instance', utilization, leastInstances: instances, wayMs };
  const dollars = (each: number) => (count: number, rate: number) =>
    count * (each * (1 + price.fee)) + rate * (prices.lambda.requests / 1e6);
  const fitting = VCPUS.filter((vcpus) => vcpus <= maxVcpus && vcpus * MB_PER_VCPU >= model.peakMemoryMb);
  const sizes = (fitting.length > 0 ? fitting : VCPUS.slice(-1)).flatMap((vcpus) =>
    concurrencies(vcpus, vcpus * MB_PER_VCPU, model).map((concurrency) =>
      alwaysOn(model, setting, {
        ...{ ...shared, vcpus, concurrency, each: `of ${vcpus} vCPUs` },
        dollarsPerHour: dollars(vcpus * (isArm ? price.armVcpu : price.x86Vcpu)),
        breaks: memoryBreaks(model.peakMemoryMb, 'a function on managed instances', maxMemoryMb),
      }),
    ),
  );
  const withGpu = alwaysOn(model, setting, {
    ...{ ...shared, vcpus: 1, concurrency: 1, speed: gpuSpeed },
    each: `of ${GPU_VCPUS} vCPUs and a GPU`,
    dollarsPerHour: dollars(price.gpuInstance),
    breaks: [
      ...memoryBreaks(model.peakMemoryMb, 'the GPU instance', gpuMemoryMb),
      ...(isArm ? ['GPU instances are x86_64 only'] : []),
    ],
  });
  return [
    { id: 'managed-instances', name: 'Lambda Managed Instances', notes: MANAGED_NOTES, sizes },
    {
      id: 'managed-instances-gpu',
      name: 'Lambda Managed Instances with a GPU',
      notes: [
        ...MANAGED_NOTES,
        'a GPU computes other last bits than a processor',
        'the speed of the GPU is a guess',
      ],
      guess: 'the speed of its GPU is a guess',
      sizes: [withGpu],
    },
  ];
}

/** Fargate tasks behind a load balancer. By how many requests a task serves at a time: the least memory that they need. */
export function fargate(model: WholeModel, setting: AlternativeSetting): Service {
  const { prices, environment, architecture } = setting.options;
  const { armVcpu, armMemory, x86Vcpu, x86Memory, loadBalancer } = prices.fargate;
  const [vcpuDollars, memoryDollars] = architecture === 'arm64' ? [armVcpu, armMemory] : [x86Vcpu, x86Memory];
  const taskOf = (vcpus: number, memoryGb: number, concurrency: number): AlternativeSize =>
    alwaysOn(model, setting, {
      ...{ unit: 'task', vcpus, concurrency, leastInstances: 1 },
      each: `of ${vcpus} vCPU and ${grouped(memoryGb * 1024)} MB`,
      utilization: environment.alwaysOn.utilization,
      dollarsPerHour: (count) => count * (vcpus * vcpuDollars + memoryGb * memoryDollars) + loadBalancer,
      wayMs: environment.alwaysOn.balancerMs,
      breaks: memoryBreaks(model.peakMemoryMb, 'a task', MOST_TASK_GB * 1024),
    });
  const sizes = TASKS.flatMap(([vcpus, memoryGb]) =>
    concurrencies(vcpus, memoryGb[memoryGb.length - 1] * 1024, model).flatMap((concurrency) => {
      const fitting = memoryGb.find((gb) => gb * 1024 >= concurrency * model.peakMemoryMb);
      return fitting === undefined ? [] : [taskOf(vcpus, fitting, concurrency)];
    }),
  );
  return {
    id: 'fargate',
    name: 'Fargate',
    notes: ['one task is always on; a second one, for availability, costs the same again'],
    sizes: sizes.length > 0 ? sizes : [taskOf(16, MOST_TASK_GB, 1)],
  };
}

function alwaysOn(
  model: WholeModel,
  { options }: AlternativeSetting,
  { vcpus, concurrency, speed = 1, breaks, ...size }: AlwaysOnSize,
): AlternativeSize {
  const { environment, architecture } = options;
  const share = vcpus / concurrency;
  const work = model.coreSeconds / (architecture === 'arm64' ? environment.processor.armSpeed : 1) / speed;
  const idle = { fileBytes: 0, coreSeconds: 0, readTensors: 0, readBytes: 0, writeBytes: 0, memoryMb: 0 };
  const memoryMb = environment.lambda.mbPerVcpu * share;
  const { overheadMs } = callTiming(idle, memoryMb, 1, 0, 0, hostOf(options));
  const busyMs = computeMs(work, Math.max(1, Math.floor(share)), share, environment) + overheadMs;
  const instancesAt = (rate: number): number =>
    Math.max(
      size.leastInstances,
      Math.ceil(((rate / 3600) * (busyMs / 1000)) / concurrency / size.utilization),
    );
  // Charged by the hour, so a run has no price of its own.
  const run = { time: LatencyDistribution.fromPercentiles(size.wayMs).shift(busyMs) };
  const each = concurrency === 1 ? size.each : `${size.each}, each with ${concurrency} requests at a time`;
  return {
    nameAt: (rate) => {
      const count = instancesAt(rate);
      return `${grouped(count)} ${count === 1 ? size.unit : `${size.unit}s`} ${each}`;
    },
    ...{ breaks, warm: run, cold: run },
    dollarsPerMonth: (rate) => HOURS_PER_MONTH * size.dollarsPerHour(instancesAt(rate), rate),
  };
}

/**
 * By how many requests an instance may serve side by side: one, and powers of two up to one for each vCPU, each in a process of
 * its own with the memory of the whole model.
 */
function concurrencies(vcpus: number, memoryMb: number, { peakMemoryMb }: WholeModel): number[] {
  const found = [1];
  for (let count = 2; count <= vcpus && count * peakMemoryMb <= memoryMb; count *= 2) found.push(count);
  return found;
}

function steps(least: number, most: number, step: number): number[] {
  return Array.from({ length: (most - least) / step + 1 }, (_, index) => least + index * step);
}
