/** Serves state machines with functions in memory over the API of Step Functions, until the end of a test. */
import { SFN } from '@aws-sdk/client-sfn';
import type { JsonObject } from '../../local/json';
import { Callers } from '../../local/s3/callers';
import { startStepFunctionsServer } from '../../local/step-functions/api/server';
import { StateMachines } from '../../local/step-functions/state-machines';
import { machine } from './machine-fixture';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** @returns the machine, its ARN, and a client of the server */
export async function serve(definition: JsonObject, options: Parameters<typeof machine>[1] = {}) {
  const callers = new Callers();
  const credentials = callers.add();
  const fixture = machine(definition, options);
  const server = await startStepFunctionsServer(new StateMachines([fixture.stateMachine]), callers);
  const { endpoint } = server;
  const access = { endpoint, region: 'us-east-1', credentials, disableHostPrefix: true };
  const client = new SFN({ ...access, maxAttempts: 1 });
  closers.push(async () => {
    client.destroy();
    await server.close();
  });
  return { ...fixture, client, access, callers, arn: fixture.stateMachine.resource.arn };
}
