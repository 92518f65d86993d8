/** Shows that `grantInvoke` allows the requests of the client, and nothing else. */
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { SlicedInferenceClient } from '../../client';
import type { LocalCloud } from '../../local';
import { matchesArn } from '../../local/iam/conditions';
import { clientOf } from '../support/client-of-cloud';
import { rows, start, synthesize } from '../support/deployed-pipeline';
import { functionAssembly } from '../support/function-stack';
import { grantingStatements } from '../support/granting-statements';
import { mlp, saveModel } from '../support/model-builder';

interface Request {
  readonly action: string;
  readonly resource: string;
}

type Input = Readonly<Partial<Record<string, string>>>;

function needed(commandName = '', input: object): Request {
  const name = commandName.replace(/Command$/, '');
  const { stateMachineArn, executionArn, Bucket, Key, FunctionName, Qualifier } = input as Input;
  if (FunctionName !== undefined)
    return { action: 'lambda:InvokeFunction', resource: `${FunctionName}:${Qualifier}` };
  if (Bucket !== undefined) return { action: `s3:${name}`, resource: `arn:aws:s3:::${Bucket}/${Key}` };
  return { action: `states:${name}`, resource: String(stateMachineArn ?? executionArn) };
}

/** Clients that note what each of their requests needs. */
function recording(cloud: LocalCloud, requests: Request[]) {
  const clients = {
    ...{ stepFunctions: new SFNClient(cloud.stepFunctions), s3: new S3Client(cloud.s3) },
    lambda: new LambdaClient(cloud.lambda),
  };
  for (const client of Object.values(clients) as Pick<SFNClient, 'middlewareStack'>[])
    client.middlewareStack.add(
      (next, { commandName }) =>
        (args) => {
          requests.push(needed(commandName, args.input));
          return next(args);
        },
      { step: 'initialize' },
    );
  return clients;
}

interface Granted {
  readonly action: string;
  readonly resources: readonly string[];
}

function grantedToCaller(assembly: string): Granted[] {
  return grantingStatements(assembly)
    .filter(({ roles }) => roles.some((role) => role.startsWith('Caller')))
    .flatMap(({ actions, resources }) => actions.map((action) => ({ action, resources })));
}

/** The requests that nothing grants, and the actions that no request uses. */
function compared(requests: readonly Request[], granted: readonly Granted[]) {
  const isFor = ({ action, resource }: Request, pattern: string, of: string): boolean =>
    action === of && matchesArn(pattern, resource);
  const refused = requests.filter(
    (request) =>
      !granted.some(({ action, resources }) => resources.some((each) => isFor(request, each, action))),
  );
  const unused = granted.filter(
    ({ action, resources }) =>
      !requests.some((request) => resources.every((each) => isFor(request, each, action))),
  );
  return { refused, unused: unused.map(({ action }) => action) };
}

test.each(Object.values(sfn.StateMachineType))(
  'grantInvoke of a pipeline of type %s allows each request of the client, which uses all of it',
  async (stateMachineType) => {
    const isStandard = stateMachineType === sfn.StateMachineType.STANDARD;
    const assembly = synthesize(saveModel(mlp(2)), () => ({ stateMachineType, dimensions: { batch: 1 } }), {
      use: (stack, pipeline) => {
        pipeline.grantInvoke(new iam.Role(stack, 'Caller', { assumedBy: new iam.AccountRootPrincipal() }));
      },
    });
    const granted = grantedToCaller(assembly);
    const cloud = await start(assembly);
    const requests: Request[] = [];
    const clients = recording(cloud, requests);
    const model = clientOf(cloud, clients);
    await model.infer(rows(4096, 1), { results: 's3', onProgress: () => undefined });
    const [controller, reason] = [new AbortController(), new Error('enough')];
    const stopped = model.infer(rows(1, 1), {
      signal: controller.signal,
      stopOnAbort: isStandard,
      onProgress: () => {
        controller.abort(reason);
      },
    });
    await expect(stopped).rejects.toBe(reason);
    await expect(model.infer(rows(1, 1), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    for (const client of Object.values(clients)) client.destroy();

    const { refused, unused } = compared(requests, granted);
    expect(refused).toEqual([]);
    // For applications that do not wait for an Express execution.
    expect(unused).toEqual(isStandard ? [] : ['states:StartExecution']);
  },
);

test('grantInvoke of a function allows each request of the client, which uses all of it', async () => {
  const assembly = functionAssembly({ modelPath: saveModel(mlp(2)) }, (fn) => {
    fn.grantInvoke(new iam.Role(Stack.of(fn), 'Caller', { assumedBy: new iam.AccountRootPrincipal() }));
  });
  const cloud = await start(assembly);
  const requests: Request[] = [];
  const clients = recording(cloud, requests);
  const model = new SlicedInferenceClient({ functionName: cloud.pipeline.stateMachineArn, ...clients });
  await model.infer(rows(120_000, 1), { results: 's3' });
  for (const client of Object.values(clients)) client.destroy();
  expect(compared(requests, grantedToCaller(assembly))).toEqual({ refused: [], unused: [] });
});
