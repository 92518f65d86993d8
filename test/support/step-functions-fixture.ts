/** Serves state machines with functions in memory over the API of Step Functions. */
import { SFN } from '@aws-sdk/client-sfn';
import type { JsonObject } from '../../local/json';
import type { StepFunctionsAccess } from '../../local';
import { Callers } from '../../local/s3/callers';
import { startStepFunctionsServer } from '../../local/step-functions/api/server';
import { StateMachines } from '../../local/step-functions/state-machines';
import { machine } from './machine-fixture';

const closers: (() => Promise<void>)[] = [];

/** Closes all clients and servers. Call it after the tests of a file. */
export async function closeServed(): Promise<void> {
  for (const close of closers.splice(0)) await close();
}

interface Served extends ReturnType<typeof machine> {
  readonly client: SFN;
  readonly access: StepFunctionsAccess;
  readonly callers: Callers;
  /** The ARN of the state machine. */
  readonly arn: string;
}

export async function serve(
  definition: JsonObject,
  options: Parameters<typeof machine>[1] = {},
): Promise<Served> {
  const callers = new Callers();
  const credentials = callers.add();
  const fixture = machine(definition, options);
  const server = await startStepFunctionsServer(new StateMachines([fixture.stateMachine]), callers);
  const { endpoint } = server;
  const access = { endpoint, region: 'us-east-1', credentials, disableHostPrefix: true } as const;
  const client = new SFN({ ...access, maxAttempts: 1 });
  closers.push(async () => {
    client.destroy();
    await server.close();
  });
  return { ...fixture, client, access, callers, arn: fixture.stateMachine.resource.arn };
}
