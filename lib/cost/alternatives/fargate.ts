/** Fargate tasks behind a load balancer, which are always on: as many as the rate of requests needs, and one at least. */
import type { AlternativeSetting, Service, WholeModel } from './alternative';
import { type Host, alwaysOn } from './always-on';

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

function steps(least: number, most: number, step: number): number[] {
  return Array.from({ length: (most - least) / step + 1 }, (_, index) => least + index * step);
}

/** By the vCPUs of a task: the least memory that the model needs. */
export function fargate(model: WholeModel, setting: AlternativeSetting): Service {
  const { prices, architecture } = setting.options;
  const { armVcpu, armMemory, x86Vcpu, x86Memory, loadBalancer } = prices.fargate;
  const [vcpu, memory] = architecture === 'arm64' ? [armVcpu, armMemory] : [x86Vcpu, x86Memory];
  const hosts = TASKS.map(([vcpus, memoryGb]): Host => {
    const gb = memoryGb.find((own) => own * 1024 >= model.peakMemoryMb) ?? memoryGb[memoryGb.length - 1];
    const dollarsPerHour = vcpus * vcpu + gb * memory;
    const sharedDollarsPerHour = loadBalancer;
    return { noun: 'task', vcpus, memoryMb: gb * 1024, dollarsPerHour, sharedDollarsPerHour };
  });
  return {
    id: 'fargate',
    name: 'Fargate',
    notes: ['one task is always on; a second one, for availability, costs the same again'],
    sizes: alwaysOn(model, setting, hosts),
  };
}
