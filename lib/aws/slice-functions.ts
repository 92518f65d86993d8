/** The functions of all slices, with the log group and the permissions that they share. */
import type { Construct } from 'constructs';
import { loaderClaimKey, sliceName, WHOLE } from '../../contract/keys';
import type { DeployedPlan } from './deployed-plan';
import { type LogSettings, createLogGroup } from './log-group';
import { networkStatements } from './network';
import { attachPolicies } from './replaced-policy';
import { createSliceFunction, type SliceFunction, type SliceFunctionSettings } from './slice-function';
import type { SliceFunctionOptions } from './slice-function-options';
import { filesOf, type SliceObjects } from './slice-object';
import { sharedPermissions, tracingStatement } from './slice-permissions';
import { stackUuid } from './stack-uuid';

interface SliceFunctionsProps extends Omit<SliceFunctionSettings, 'logGroup'> {
  /** By slice. */
  readonly files: readonly SliceObjects[];
  /** By slice: the options that the user sets. */
  readonly options: readonly SliceFunctionOptions[];
  readonly logs: LogSettings;
  /** With consolidation. */
  readonly whole?: WholeFunctionProps;
}

/** The function of the whole model. */
interface WholeFunctionProps {
  readonly plan: DeployedPlan;
  readonly files: SliceObjects;
  readonly options: SliceFunctionOptions;
}

export interface PipelineFunctions {
  /** By slice. */
  readonly slices: readonly SliceFunction[];
  readonly whole?: SliceFunction;
}

export function createSliceFunctions(scope: Construct, props: SliceFunctionsProps): PipelineFunctions {
  const { files, options, logs, whole: wholeProps, ...settings } = props;
  const logGroup = createLogGroup(scope, 'SliceLogs', logs);
  const slices = files.map((ofSlice, slice) =>
    createSliceFunction(scope, sliceName(slice), {
      ...settings,
      slice,
      files: ofSlice,
      options: options[slice],
      logGroup,
    }),
  );
  const whole =
    wholeProps &&
    createSliceFunction(scope, WHOLE, {
      ...settings,
      plan: wholeProps.plan,
      files: wholeProps.files,
      options: wholeProps.options,
      slice: 0,
      loaderKey: loaderClaimKey(`${scope.node.addr}-${stackUuid(scope)}`, settings.plan.deploymentDigest),
      logGroup,
    });
  const functions = whole ? [...slices, whole] : slices;
  const loaded = wholeProps ? [...files, wholeProps.files] : files;
  const shared = [
    ...sharedPermissions({ bucket: settings.bucket, files: loaded.flatMap(filesOf), logGroup }),
    ...(settings.tracing ? [tracingStatement()] : []),
    ...(settings.network ? networkStatements() : []),
  ];
  const roles = functions.map(({ role }) => role);
  for (const policy of attachPolicies(scope, 'SlicePolicy', roles, shared)) {
    // Lambda refuses a function in a VPC whose role may not attach it, and a traced one whose role may not write traces.
    for (const { fn } of functions) fn.node.defaultChild?.node.addDependency(policy);
  }
  return { slices, ...(whole && { whole }) };
}
