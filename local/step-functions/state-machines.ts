/** The state machines of a deployment. */
import type { MapRunProgress } from './distributed/map-run-progress';
import type { MachineExecution } from './machine-execution';
import type { StateMachine } from './state-machine';

export class StateMachines {
  private machines: ReadonlyMap<string, StateMachine> = new Map();
  private refused: ReadonlyMap<string, string> = new Map();
  private aliases: ReadonlyMap<string, string> = new Map();

  constructor(machines: readonly StateMachine[] = []) {
    this.replace(machines);
  }

  /**
   * @param refused why the other state machines of the deployment cannot run, by ARN
   * @param aliases ARNs of state machines by the ARNs of their aliases
   */
  replace(
    machines: readonly StateMachine[],
    refused: ReadonlyMap<string, string> = new Map(),
    aliases: ReadonlyMap<string, string> = new Map(),
  ): void {
    this.machines = new Map(machines.map((machine) => [machine.resource.arn, machine]));
    this.refused = refused;
    this.aliases = aliases;
  }

  all(): readonly StateMachine[] {
    return [...this.machines.values()];
  }

  find(arn: string): StateMachine | undefined {
    return this.machines.get(arn);
  }

  /** The state machine with this ARN, or with an alias of this ARN: the local cloud has only the current version of each. */
  findStartable(arn: string): StateMachine | undefined {
    return this.find(this.aliases.get(arn) ?? arn);
  }

  /** Why a state machine of the deployment cannot run; `undefined` for all others. */
  refusal(arn: string): string | undefined {
    return this.refused.get(arn);
  }

  findExecution(executionArn: string): MachineExecution | undefined {
    return this.all()
      .map((machine) => machine.find(executionArn))
      .find((execution) => execution !== undefined);
  }

  findMapRun(mapRunArn: string): MapRunProgress | undefined {
    const executions = this.all().flatMap((machine) => machine.executions);
    return executions.flatMap(({ mapRuns }) => mapRuns).find(({ arn }) => arn === mapRunArn);
  }
}
