/** Speeds and delays of AWS and of a slice's function, each with its source and date. A file can replace any of them. */
import { ALWAYS_ON, MANAGED_INSTANCES, MICRO_VMS, SAGE_MAKER } from './alternative-constants';
import type { ConstantTable, ValuesOf } from './constant';
import { valuesOf } from './constant';
import { HANDLER, PROCESSOR } from './function-constants';
import { LAMBDA } from './lambda-constants';
import { NETWORK, S3, STEP_FUNCTIONS } from './transfer-constants';

export const ENVIRONMENT = {
  lambda: LAMBDA,
  network: NETWORK,
  s3: S3,
  stepFunctions: STEP_FUNCTIONS,
  handler: HANDLER,
  processor: PROCESSOR,
  managedInstances: MANAGED_INSTANCES,
  sageMaker: SAGE_MAKER,
  microVms: MICRO_VMS,
  alwaysOn: ALWAYS_ON,
} as const satisfies ConstantTable;

/** Speeds and delays by group and name. */
export type Environment = ValuesOf<typeof ENVIRONMENT>;

export const DEFAULT_ENVIRONMENT: Environment = valuesOf(ENVIRONMENT);
