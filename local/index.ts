/** The package's `./local` entry: runs a synthesized pipeline on this machine, without an AWS account. */
export { LocalCloud } from './cloud/cloud';
export type { LocalPipeline, LocalStateMachine } from './cloud/local-pipeline';
export type { CertificateAuthority, S3Access, StepFunctionsAccess } from './cloud/access';
export type { LocalCloudOptions } from './cloud/options';
export type { Access } from './iam/authorizer';
export type { Faults, InjectedFault } from './faults/injector';
export { FAULT_KINDS, type FaultKind } from './faults/kinds';
export { LocalCloudError } from './local-cloud-error';
export { infer, type FailedInference, type Inference, type SucceededInference } from './cloud/infer';
export { serve, type ServedPipeline } from './cloud/serve';
export { snapshotOf, type SliceCut, type StackSnapshot } from './snapshot';
export type { Json, JsonObject } from './json';
export type { WorkerProcess } from './lambda/sandbox';
export { SIMULATION_NAMES, type SimulationName } from './simulation/presets';
export type { ExecutionResult, TraceEvent } from './step-functions/execution';
