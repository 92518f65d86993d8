/** Fargate tasks behind a load balancer that are always on. */
import type { Alternative, AlternativeSetting, AlternativeSize, WholeModel } from './alternative';
import { alwaysOn, concurrencies } from './always-on';
import { alternativeOf } from './sizes';
import { grouped, inMb } from './wording';

/** The sizes of a task. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html */
const TASKS: readonly { readonly vcpus: number; readonly memoryGb: readonly number[] }[] = [
  { vcpus: 0.25, memoryGb: [0.5, 1, 2] },
  { vcpus: 0.5, memoryGb: steps(1, 4, 1) },
  { vcpus: 1, memoryGb: steps(2, 8, 1) },
  { vcpus: 2, memoryGb: steps(4, 16, 1) },
  { vcpus: 4, memoryGb: steps(8, 30, 1) },
  { vcpus: 8, memoryGb: steps(16, 60, 4) },
  { vcpus: 16, memoryGb: steps(32, 120, 8) },
];

const MOST_GB = 120;

export function fargate(model: WholeModel, setting: AlternativeSetting): Alternative {
  const sizes = TASKS.flatMap(({ vcpus, memoryGb }) => tasksOf(model, setting, vcpus, memoryGb));
  const tooLarge = `the model needs ${inMb(model.peakMemoryMb)}, and a task has at most ${inMb(MOST_GB * 1024)}`;
  return alternativeOf(
    setting,
    {
      id: 'fargate',
      name: 'Fargate',
      notes: ['one task is always on; a second one, for availability, costs the same again'],
    },
    sizes.length > 0 ? sizes : [taskOf(model, setting, 16, MOST_GB, 1, [tooLarge])],
  );
}

/** By how many requests a task serves at a time: the least memory that they need. */
function tasksOf(
  model: WholeModel,
  setting: AlternativeSetting,
  vcpus: number,
  memoryGb: readonly number[],
): AlternativeSize[] {
  const most = memoryGb[memoryGb.length - 1];
  return concurrencies(vcpus, most * 1024, model).flatMap((concurrency) => {
    const fitting = memoryGb.find((gb) => gb * 1024 >= concurrency * model.peakMemoryMb);
    return fitting === undefined ? [] : [taskOf(model, setting, vcpus, fitting, concurrency, [])];
  });
}

function taskOf(
  model: WholeModel,
  setting: AlternativeSetting,
  vcpus: number,
  memoryGb: number,
  concurrency: number,
  breaks: readonly string[],
): AlternativeSize {
  const { prices, environment, architecture } = setting.options;
  const isArm = architecture === 'arm64';
  const vcpuDollars = isArm ? prices.fargate.armVcpu : prices.fargate.x86Vcpu;
  const memoryDollars = isArm ? prices.fargate.armMemory : prices.fargate.x86Memory;
  return alwaysOn(model, setting, {
    unit: 'task',
    each: `of ${vcpus} vCPU and ${grouped(memoryGb * 1024)} MB`,
    ...{ vcpus, concurrency, breaks },
    utilization: environment.alwaysOn.utilization,
    dollarsPerHour: vcpus * vcpuDollars + memoryGb * memoryDollars,
    leastInstances: 1,
    requestDollars: 0,
    sharedDollarsPerHour: prices.fargate.loadBalancer,
    wayMs: environment.alwaysOn.balancerMs,
  });
}

function steps(least: number, most: number, step: number): number[] {
  return Array.from({ length: (most - least) / step + 1 }, (_, index) => least + index * step);
}
