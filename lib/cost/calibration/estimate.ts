/** What decides an estimate, and what it is. */
import type { Pairs } from '../constants/constant';
import type { Environment } from '../constants/environment';
import type { Architecture } from '../formulas/lambda';
import type { StateMachineType } from '../formulas/step-functions';
import type { SliceFacts } from './samples';

export interface CalibrationOptions {
  readonly architecture: Architecture;
  readonly stateMachineType: StateMachineType;
  /** Where slices write the tensors that later slices read. */
  readonly tensorStore: 's3-standard' | 's3-express';
  /** By slice, if a plan is known. */
  readonly slices?: readonly SliceFacts[];
  /** What the calls belong to, for the source of each constant. */
  readonly name: string;
}

/** An estimate, before it is rounded. */
export interface Estimate {
  readonly group: keyof Environment;
  readonly constant: string;
  /** Absent if the samples do not suffice: then the default stays. */
  readonly value?: number | Pairs;
  readonly samples: number;
  /** Why there is no value. */
  readonly missing?: string;
}
