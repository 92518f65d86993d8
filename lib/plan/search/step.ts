/** One way to run a slice, and which totals of it matter. */
import type { InState, StepCost, Temperature } from '../../cost/cost-model';

/** One way to run one stretch. */
export interface Step extends StepCost {
  readonly memoryMb: number;
  /** Absent if the request keeps all tensors in S3. */
  readonly inState?: InState;
}

/** Whether totals of warm and of cold runs matter. The search does not tell plans apart by totals that do not. */
export interface Dimensions {
  readonly warm: boolean;
  readonly cold: boolean;
}

export function dimensionsOf(temperature: Temperature): Dimensions {
  return { warm: temperature !== 'cold', cold: temperature !== 'warm' };
}

/** The share of cold runs, from 0 to 1. */
export function coldShareOf(temperature: Temperature, coldShare: number): number {
  return { warm: 0, cold: 1, mixed: coldShare }[temperature];
}
