/** The functions of all slices, with the log group and the permissions that they share. */
import type { Construct } from 'constructs';
import { sliceName } from '../../contract/keys';
import type { LogSettings } from './log-group';
import { createLogGroup } from './log-group';
import { networkStatements } from './network';
import { attachPolicies } from './replaced-policy';
import { createSliceFunction, type SliceFunction, type SliceFunctionSettings } from './slice-function';
import type { SliceFunctionOptions } from './slice-function-options';
import { filesOf, type SliceObjects } from './slice-object';
import { sharedPermissions, tracingStatement } from './slice-permissions';

interface SliceFunctionsProps extends Omit<SliceFunctionSettings, 'logGroup'> {
  /** By slice. */
  readonly files: readonly SliceObjects[];
  /** By slice: the options that the user sets. */
  readonly options: readonly SliceFunctionOptions[];
  readonly logs: LogSettings;
}

export function createSliceFunctions(scope: Construct, props: SliceFunctionsProps): SliceFunction[] {
  const { files, options, logs, ...settings } = props;
  const logGroup = createLogGroup(scope, 'SliceLogs', logs);
  const functions = files.map((ofSlice, slice) =>
    createSliceFunction(scope, sliceName(slice), {
      ...settings,
      slice,
      files: ofSlice,
      options: options[slice],
      logGroup,
    }),
  );
  const shared = [
    ...sharedPermissions({ bucket: settings.bucket, files: files.flatMap(filesOf), logGroup }),
    ...(settings.tracing ? [tracingStatement()] : []),
    ...(settings.network ? networkStatements() : []),
  ];
  const roles = functions.map(({ role }) => role);
  for (const policy of attachPolicies(scope, 'SlicePolicy', roles, shared)) {
    // Lambda refuses a function in a VPC whose role may not attach it, and a traced one whose role may not write traces.
    for (const { fn } of functions) fn.node.defaultChild?.node.addDependency(policy);
  }
  return functions;
}
