/** Fargate tasks behind a load balancer, which are always on: as many as the rate of requests needs, and one at least. */
import { computeMs, singleThreadMs } from '../formulas/lambda';
import { LatencyDistribution } from '../latency/latency-distribution';
import {
  type AlternativeSetting,
  type AlternativeSize,
  type Service,
  type WholeModel,
  HOURS_PER_MONTH,
} from './alternative';
import { grouped, memoryBreaks } from './wording';

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

const [LARGEST, MOST_TASK_GB] = [16, 120];

function steps(least: number, most: number, step: number): number[] {
  return Array.from({ length: (most - least) / step + 1 }, (_, index) => least + index * step);
}

/** By the vCPUs of a task: the least memory that the model needs. */
export function fargate(model: WholeModel, setting: AlternativeSetting): Service {
  const sizes = TASKS.flatMap(([vcpus, memoryGb]) => {
    const fitting = memoryGb.find((gb) => gb * 1024 >= model.peakMemoryMb);
    return fitting === undefined ? [] : [taskOf(model, setting, vcpus, fitting)];
  });
  return {
    id: 'fargate',
    name: 'Fargate',
    notes: ['one task is always on; a second one, for availability, costs the same again'],
    sizes: sizes.length > 0 ? sizes : [taskOf(model, setting, LARGEST, MOST_TASK_GB)],
  };
}

/** A task serves one request at a time. */
function taskOf(
  model: WholeModel,
  { options }: AlternativeSetting,
  vcpus: number,
  memoryGb: number,
): AlternativeSize {
  const { prices, environment, architecture } = options;
  const { armVcpu, armMemory, x86Vcpu, x86Memory, loadBalancer } = prices.fargate;
  const { alwaysOn, handler } = environment;
  const isArm = architecture === 'arm64';
  const busyMs =
    computeMs(model.coreSeconds, Math.max(1, Math.floor(vcpus)), vcpus, environment) +
    singleThreadMs(handler.callCpuMs, vcpus);
  const tasksAt = (rate: number): number =>
    Math.max(1, Math.ceil(((rate / 3600) * (busyMs / 1000)) / alwaysOn.utilization));
  const taskDollars = vcpus * (isArm ? armVcpu : x86Vcpu) + memoryGb * (isArm ? armMemory : x86Memory);
  // Charged by the hour, so a run has no price of its own.
  const run = { time: LatencyDistribution.fromPercentiles(alwaysOn.balancerMs).shift(busyMs) };
  return {
    nameAt: (rate) => {
      const tasks = tasksAt(rate);
      const count = `${grouped(tasks)} ${tasks === 1 ? 'task' : 'tasks'}`;
      return `${count} of ${vcpus} vCPU and ${grouped(memoryGb * 1024)} MB`;
    },
    breaks: memoryBreaks(model.peakMemoryMb, 'a task', MOST_TASK_GB * 1024),
    ...{ warm: run, cold: run },
    dollarsPerMonth: (rate) => HOURS_PER_MONTH * (tasksAt(rate) * taskDollars + loadBalancer),
  };
}
