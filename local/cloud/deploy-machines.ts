/** Creates and updates the state machines of a deployment, and checks what services do on behalf of roles. */
import { randomBytes, randomUUID } from 'node:crypto';
import * as path from 'node:path';
import { type FunctionResource, splitFunctionArn } from '../cloudformation/resources';
import type { FaultInjector } from '../faults/injector';
import type { Authorizer } from '../iam/authorizer';
import { roleSession } from '../iam/principals';
import { callWithFaults } from '../lambda/call-faults';
import type { LocalFunctions } from '../lambda/local-functions';
import type { Notices } from '../notices';
import type { Callers } from '../s3/callers';
import type { DiskObjectStore } from '../s3/store';
import type { Simulator } from '../simulation/simulator';
import { MapStorage } from '../step-functions/distributed/map-storage';
import type { InvokeTask } from '../step-functions/run-options';
import { StateError } from '../step-functions/state-error';
import { StateMachine } from '../step-functions/state-machine';
import type { StateMachines } from '../step-functions/state-machines';
import type { DeployedMachine, Deployment } from './deployment';
import type { LocalCloudOptions } from './options';

/** What all parts of a local cloud share. */
export interface CloudHost {
  readonly region: string;
  readonly store: DiskObjectStore;
  /** For all temporary files. */
  readonly folder: string;
  readonly callers: Callers;
  readonly authorizer: Authorizer;
  readonly injector: FaultInjector;
  readonly simulator: Simulator;
  readonly notices: Notices;
  readonly signal: AbortSignal;
  readonly timeouts: number;
  readonly options: LocalCloudOptions;
  /** Variables with which sandboxes reach the cloud's servers. */
  readonly endpoints: () => Readonly<Record<string, string>>;
}

export function deployMachines(
  machines: StateMachines,
  { machines: deployed, refused, aliases }: Pick<Deployment, 'machines' | 'refused' | 'aliases'>,
  functions: LocalFunctions,
  host: CloudHost,
): void {
  const own = deployed.filter(({ resource }) => !resource.isFunction);
  const current = own.map(({ resource, definition }) => {
    const known = machines.find(resource.arn);
    known?.update(resource, definition);
    return known ?? create({ resource, definition }, functions, host);
  });
  machines.replace(current, refused, aliases);
}

function create(
  { resource, definition }: DeployedMachine,
  functions: LocalFunctions,
  { authorizer, injector, simulator, signal, store, folder, options, timeouts }: CloudHost,
): StateMachine {
  const invoke: InvokeTask = (functionArn, payload, traceHeader) =>
    callWithFaults(injector, { functionArn, payload: JSON.stringify(payload) }, () =>
      functions.invoke(functionArn, payload, traceHeader),
    );
  const machine: StateMachine = new StateMachine(
    resource,
    {
      invoke: async (...call) => {
        // A later deployment may have changed the role.
        checkInvoke(authorizer, machine.resource.roleArn, call[0]);
        return invoke(...call);
      },
      invokeLater: async (...call) => {
        checkInvoke(authorizer, machine.resource.roleArn, call[0]);
        functions.invokeLater(() => invoke(...call));
        return Promise.resolve();
      },
      trace: options.onTrace,
      signal,
      transitionMs: simulator.transitionsOf(resource.name, resource.type),
      childTransitionMs: simulator.transitionsOf(`the children of ${resource.name}`, 'EXPRESS'),
      storage: new MapStorage(
        store,
        authorizer,
        path.join(folder, 'map-runs'),
        () => machine.resource.roleArn,
      ),
      retryPauses: options.retryPauses,
      timeouts,
    },
    definition,
  );
  return machine;
}

/** In the words of https://github.com/awslabs/aws-deployment-framework/issues/460. @throws StateError if the role may not call it */
export function checkInvoke(authorizer: Authorizer, roleArn: string | undefined, functionArn: string): void {
  if (roleArn === undefined) return;
  // The names of Step Functions' sessions are random.
  const session = roleSession(roleArn, randomBytes(16).toString('hex'));
  const refusal = authorizer.refusal(session, {
    action: 'lambda:InvokeFunction',
    resource: functionArn,
    policyOf: splitFunctionArn(functionArn).functionArn,
  });
  if (refusal === undefined) return;
  const service = `Service: AWSLambda; Status Code: 403; Error Code: AccessDeniedException; Request ID: ${randomUUID()}; Proxy: null`;
  throw new StateError('Lambda.AWSLambdaException', `${refusal} (${service})`);
}

/** Why a function's role may not write to its log group. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html */
export function logRefusal(
  authorizer: Authorizer,
  fn: FunctionResource,
  logStream: string,
): string | undefined {
  const { account, region } = authorizer;
  const session = roleSession(fn.roleArn, fn.name);
  const stream = `arn:aws:logs:${region}:${account}:log-group:${fn.logGroup}:log-stream:`;
  return authorizer.firstRefusal(session, [
    ...(fn.createsLogGroup ? [{ action: 'logs:CreateLogGroup', resource: stream } as const] : []),
    { action: 'logs:CreateLogStream', resource: `${stream}${logStream}` },
    { action: 'logs:PutLogEvents', resource: `${stream}${logStream}` },
  ]);
}
