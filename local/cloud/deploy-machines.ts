/** Creates the state machines of a deployment, and updates those of the one before. */
import type { FaultInjector } from '../faults/injector';
import type { Simulator } from '../simulation/simulator';
import type { Authorizer } from '../iam/authorizer';
import { callWithFaults } from '../lambda/call-faults';
import type { LocalFunctions } from '../lambda/local-functions';
import type { InvokeTask } from '../step-functions/run-options';
import { StateMachine } from '../step-functions/state-machine';
import type { StateMachines } from '../step-functions/state-machines';
import type { DeployedMachine, Deployment } from './deployment';
import type { LocalCloudOptions } from './options';
import { checkInvoke } from './service-permissions';

interface MachineHost {
  readonly functions: LocalFunctions;
  readonly authorizer: Authorizer;
  readonly injector: FaultInjector;
  readonly simulator: Simulator;
  readonly signal: AbortSignal;
  readonly options: Pick<LocalCloudOptions, 'onTrace' | 'retryPauses' | 'updateLagMs'>;
}

export function deployMachines(
  machines: StateMachines,
  { machines: deployed, refused, aliases }: Pick<Deployment, 'machines' | 'refused' | 'aliases'>,
  host: MachineHost,
): void {
  const current = deployed.map(({ resource, definition }) => {
    const known = machines.find(resource.arn);
    known?.update(resource, definition);
    return known ?? create({ resource, definition }, host);
  });
  machines.replace(current, refused, aliases);
}

function create({ resource, definition }: DeployedMachine, host: MachineHost): StateMachine {
  const { functions, authorizer, injector, simulator, signal, options } = host;
  const invoke: InvokeTask = (functionArn, payload, traceHeader) =>
    callWithFaults(injector, { functionArn, payload }, () =>
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
        functions.invokeLater(call[0], () => invoke(...call));
        return Promise.resolve();
      },
      trace: options.onTrace,
      signal,
      transitionMs: simulator.transitionsOf(resource.name, resource.type),
      retryPauses: options.retryPauses,
      updateLagMs: options.updateLagMs,
    },
    definition,
  );
  return machine;
}
