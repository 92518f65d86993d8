/** Lambda Managed Instances: functions on EC2 instances that Lambda manages, with more memory, and with GPUs. */
import type { Alternative, AlternativeSetting, WholeModel } from './alternative';
import { bestOf, inMb, monthPrice } from './alternative';
import { alwaysOn } from './always-on';

/** vCPUs of the instances that this model considers, each with 4 GB of memory. */
const VCPUS = [2, 4, 8, 16];
const MB_PER_VCPU = 4096;

/** vCPUs of a g6.xlarge. */
const GPU_VCPUS = 4;

const NOTES = ['instances run all the time, three by default'];

export function managedInstances(model: WholeModel, setting: AlternativeSetting): Alternative {
  const { prices, environment, architecture } = setting.options;
  const { maxMemoryMb, maxVcpus, instances } = environment.managedInstances;
  const { managedInstances: price, lambda } = prices;
  const vcpuDollars = architecture === 'arm64' ? price.armVcpu : price.x86Vcpu;
  const fitting = VCPUS.filter((vcpus) => vcpus <= maxVcpus && vcpus * MB_PER_VCPU >= model.peakMemoryMb);
  const sizes = fitting.length > 0 ? fitting : [VCPUS[VCPUS.length - 1]];
  return bestOf(
    sizes.map((vcpus) =>
      alwaysOn(
        model,
        setting,
        {
          vcpus,
          dollarsPerHour: vcpus * vcpuDollars * (1 + price.fee),
          leastInstances: instances,
          requestDollars: lambda.requests / 1e6,
          sharedDollarsPerHour: 0,
          wayMs: environment.lambda.invokeMs,
        },
        {
          id: 'managed-instances',
          name: 'Lambda Managed Instances',
          size: `${instances} instances of ${vcpus} vCPUs`,
          breaks: memoryBreaks(model, maxMemoryMb, 'a function on managed instances'),
          notes: NOTES,
        },
      ),
    ),
    monthPrice(setting),
  );
}

export function managedInstancesWithGpu(model: WholeModel, setting: AlternativeSetting): Alternative {
  const { prices, environment, architecture } = setting.options;
  const { instances, gpuMemoryMb, gpuSpeed } = environment.managedInstances;
  return alwaysOn(
    model,
    setting,
    {
      vcpus: 1,
      speed: gpuSpeed,
      dollarsPerHour: prices.managedInstances.gpuInstance * (1 + prices.managedInstances.fee),
      leastInstances: instances,
      requestDollars: prices.lambda.requests / 1e6,
      sharedDollarsPerHour: 0,
      wayMs: environment.lambda.invokeMs,
    },
    {
      id: 'managed-instances-gpu',
      name: 'Lambda Managed Instances with a GPU',
      size: `${instances} instances of ${GPU_VCPUS} vCPUs and a GPU`,
      breaks: [
        ...memoryBreaks(model, gpuMemoryMb, 'the GPU instance'),
        ...(architecture === 'arm64' ? ['GPU instances are x86_64 only'] : []),
      ],
      notes: [...NOTES, 'a GPU computes other last bits than a processor', 'the speed of the GPU is assumed'],
    },
  );
}

function memoryBreaks({ peakMemoryMb }: WholeModel, most: number, subject: string): string[] {
  return peakMemoryMb > most
    ? [`the model needs ${inMb(peakMemoryMb)}, and ${subject} has at most ${inMb(most)}`]
    : [];
}
