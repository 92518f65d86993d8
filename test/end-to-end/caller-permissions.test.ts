/** Shows that `grantInvoke` allows the requests of the client, and nothing else. */
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { LocalCloud } from '../../local';
import { matchesArn } from '../../local/iam/conditions';
import { clientOf } from '../support/client-of-cloud';
import { rows, start, synthesize } from '../support/deployed-pipeline';
import { grantingStatements } from '../support/granting-statements';
import { mlp, saveModel } from '../support/model-builder';

interface Request {
  readonly action: string;
  readonly resource: string;
}

type Input = Readonly<Partial<Record<string, string>>>;

function needed(commandName = '', input: object): Request {
  const name = commandName.replace(/Command$/, '');
  const { stateMachineArn, executionArn, Bucket, Key } = input as Input;
  if (Bucket !== undefined) return { action: `s3:${name}`, resource: `arn:aws:s3:::${Bucket}/${Key}` };
  return { action: `states:${name}`, resource: String(stateMachineArn ?? executionArn) };
}

/** Clients that note what each of their requests needs. */
function recording(cloud: LocalCloud, requests: Request[]) {
  const clients = { stepFunctions: new SFNClient(cloud.stepFunctions), s3: new S3Client(cloud.s3) };
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

describe.each([sfn.StateMachineType.EXPRESS, sfn.StateMachineType.STANDARD])(
  'the permissions of a caller of a pipeline of type %s',
  (stateMachineType) => {
    const isStandard = stateMachineType === sfn.StateMachineType.STANDARD;
    const requests: Request[] = [];
    let granted: ReturnType<typeof grantingStatements>;

    beforeAll(async () => {
      const props = { stateMachineType, dimensions: { batch: 1 } };
      const assembly = synthesize(saveModel(mlp(2)), () => props, {
        use: (stack, pipeline) => {
          const assumedBy = new iam.AccountRootPrincipal();
          pipeline.grantInvoke(new iam.Role(stack, 'Caller', { assumedBy }));
        },
      });
      granted = grantingStatements(assembly).filter(({ roles }) =>
        roles.some((role) => role.startsWith('Caller')),
      );
      const cloud = await start(assembly);
      const clients = recording(cloud, requests);
      const model = clientOf(cloud, clients);
      const large = rows(4096, 1);
      await model.infer(large, { results: 's3', onProgress: () => undefined });
      const controller = new AbortController();
      const stopped = model.infer(rows(1, 1), {
        signal: controller.signal,
        stopOnAbort: isStandard,
        onProgress: () => {
          controller.abort(new Error('enough'));
        },
      });
      await expect(stopped).rejects.toThrow('enough');
      for (const client of Object.values(clients)) client.destroy();
    });

    const isGranted = ({ action, resource }: Request): boolean =>
      granted.some(
        ({ actions, resources }) =>
          actions.includes(action) && resources.some((pattern) => matchesArn(pattern, resource)),
      );
    const isUsed = (action: string, resources: readonly string[]): boolean =>
      requests.some(
        (request) =>
          request.action === action && resources.every((pattern) => matchesArn(pattern, request.resource)),
      );

    it('include each request of the client, and are all used by it', () => {
      expect(requests.filter((request) => !isGranted(request))).toEqual([]);
      const unused = granted.flatMap(({ actions, resources }) =>
        actions.filter((action) => !isUsed(action, resources)),
      );
      // For applications that do not wait for an Express execution.
      expect(unused).toEqual(isStandard ? [] : ['states:StartExecution']);
    });
  },
);
