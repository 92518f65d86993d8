/** Fargate tasks behind a load balancer that are always on. */
import type { Alternative, AlternativeSetting, WholeModel } from './alternative';
import { bestOf, grouped, inMb, monthPrice } from './alternative';
import { alwaysOn } from './always-on';

/** By vCPUs: the least and the most memory of a task, in GB. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html */
const SIZES = [
  { vcpus: 0.25, least: 0.5, most: 2 },
  { vcpus: 0.5, least: 1, most: 4 },
  { vcpus: 1, least: 2, most: 8 },
  { vcpus: 2, least: 4, most: 16 },
  { vcpus: 4, least: 8, most: 30 },
  { vcpus: 8, least: 16, most: 60 },
  { vcpus: 16, least: 32, most: 120 },
];

export function fargate(model: WholeModel, setting: AlternativeSetting): Alternative {
  const neededGb = Math.ceil(model.peakMemoryMb / 1024);
  const fitting = SIZES.filter(({ most }) => most >= neededGb);
  const sizes = fitting.length > 0 ? fitting : [SIZES[SIZES.length - 1]];
  return bestOf(
    sizes.map(({ vcpus, least }) => taskOf(model, setting, vcpus, Math.max(least, neededGb))),
    monthPrice(setting),
  );
}

function taskOf(
  model: WholeModel,
  setting: AlternativeSetting,
  vcpus: number,
  memoryGb: number,
): Alternative {
  const { prices, environment, architecture } = setting.options;
  const isArm = architecture === 'arm64';
  const vcpuDollars = isArm ? prices.fargate.armVcpu : prices.fargate.x86Vcpu;
  const memoryDollars = isArm ? prices.fargate.armMemory : prices.fargate.x86Memory;
  const { most } = SIZES[SIZES.length - 1];
  return alwaysOn(
    model,
    setting,
    {
      vcpus,
      dollarsPerHour: vcpus * vcpuDollars + memoryGb * memoryDollars,
      leastInstances: 1,
      requestDollars: 0,
      sharedDollarsPerHour: prices.fargate.loadBalancer,
      wayMs: environment.alwaysOn.balancerMs,
    },
    {
      id: 'fargate',
      name: 'Fargate',
      size: `tasks of ${vcpus} vCPU and ${grouped(memoryGb * 1024)} MB`,
      breaks:
        memoryGb > most
          ? [`the model needs ${inMb(model.peakMemoryMb)}, and a task has at most ${inMb(most * 1024)}`]
          : [],
      notes: ['one task is always on; a second one, for availability, costs the same again'],
    },
  );
}
