/** The request of slicers that choose no memory. */
import type { CutSpace } from '../cuts/cuts';
import { type PlanRequest, DEFAULT_GOAL } from '../goal';
import { threadCount } from '../sizes/estimate';
import { MAX_LAMBDA_MEMORY_MB } from '../sizes/lambda-quotas';

/** Each function gets the least memory that fits. It has the vCPUs of that memory, so no slice needs more threads. */
export function leastMemory(space: CutSpace): PlanRequest {
  return {
    ...DEFAULT_GOAL,
    minimize: 'cost',
    model: space.costs.model(),
    maxMemoryMb: Infinity,
    memorySizes: [],
    transport: 's3-standard',
    threads: threadCount(MAX_LAMBDA_MEMORY_MB),
    maxSlices: Infinity,
  };
}
