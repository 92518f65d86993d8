/** Lambda Managed Instances: functions on EC2 instances that Lambda manages, with more memory, and with GPUs. */
import type { Alternative, AlternativeSetting, WholeModel } from './alternative';
import { alwaysOn, concurrencies } from './always-on';
import { alternativeOf } from './sizes';
import { inMb } from './wording';

/** vCPUs of the instances that this model considers, each with 4 GB of memory. */
const VCPUS = [2, 4, 8, 16];
const MB_PER_VCPU = 4096;

/** vCPUs of a g6.xlarge. */
const GPU_VCPUS = 4;

const NOTES = [
  'instances run all the time, three by default',
  'Lambda keeps processors idle so that requests may double at once',
];

export function managedInstances(model: WholeModel, setting: AlternativeSetting): Alternative {
  const { prices, environment, architecture } = setting.options;
  const { maxMemoryMb, maxVcpus, instances, utilization } = environment.managedInstances;
  const { managedInstances: price, lambda } = prices;
  const vcpuDollars = architecture === 'arm64' ? price.armVcpu : price.x86Vcpu;
  const allowed = VCPUS.filter((vcpus) => vcpus <= maxVcpus);
  const fitting = allowed.filter((vcpus) => vcpus * MB_PER_VCPU >= model.peakMemoryMb);
  const sizes = fitting.length > 0 ? fitting : VCPUS.slice(-1);
  return alternativeOf(
    setting,
    { id: 'managed-instances', name: 'Lambda Managed Instances', notes: NOTES },
    sizes.flatMap((vcpus) =>
      concurrencies(vcpus, vcpus * MB_PER_VCPU, model).map((concurrency) =>
        alwaysOn(model, setting, {
          unit: 'instance',
          each: `of ${vcpus} vCPUs`,
          ...{ vcpus, concurrency, utilization },
          dollarsPerHour: vcpus * vcpuDollars * (1 + price.fee),
          leastInstances: instances,
          requestDollars: lambda.requests / 1e6,
          sharedDollarsPerHour: 0,
          wayMs: environment.lambda.invokeMs,
          breaks: memoryBreaks(model, maxMemoryMb, 'a function on managed instances'),
        }),
      ),
    ),
  );
}

export function managedInstancesWithGpu(model: WholeModel, setting: AlternativeSetting): Alternative {
  const { prices, environment, architecture } = setting.options;
  const { instances, gpuMemoryMb, gpuSpeed, utilization } = environment.managedInstances;
  const size = alwaysOn(model, setting, {
    unit: 'instance',
    each: `of ${GPU_VCPUS} vCPUs and a GPU`,
    ...{ vcpus: 1, concurrency: 1, speed: gpuSpeed, utilization },
    dollarsPerHour: prices.managedInstances.gpuInstance * (1 + prices.managedInstances.fee),
    leastInstances: instances,
    requestDollars: prices.lambda.requests / 1e6,
    sharedDollarsPerHour: 0,
    wayMs: environment.lambda.invokeMs,
    breaks: [
      ...memoryBreaks(model, gpuMemoryMb, 'the GPU instance'),
      ...(architecture === 'arm64' ? ['GPU instances are x86_64 only'] : []),
    ],
  });
  return alternativeOf(
    setting,
    {
      id: 'managed-instances-gpu',
      name: 'Lambda Managed Instances with a GPU',
      notes: [...NOTES, 'a GPU computes other last bits than a processor', 'the speed of the GPU is a guess'],
      guess: 'the speed of its GPU is a guess',
    },
    [size],
  );
}

function memoryBreaks({ peakMemoryMb }: WholeModel, most: number, subject: string): string[] {
  return peakMemoryMb > most
    ? [`the model needs ${inMb(peakMemoryMb)}, and ${subject} has at most ${inMb(most)}`]
    : [];
}
