/**
 * Shows that the templates grant what deployments and runs need, and nothing else: nothing is refused, they use every action on every resource
 * that a statement allows, and each statement of a role is the only one that allows one of their accesses.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SFN } from '@aws-sdk/client-sfn';
import type { Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { compile } from '../../lib/compile/compile';
import { remoteKey } from '../../lib/plan/file/plan';
import { count } from '../../lib/plan/slicers';
import {
  BatchItems,
  Consolidation,
  SlicedModel,
  Slicing,
  TensorStore,
  WarmUp,
  type SlicedInferencePipelineProps,
} from '../../lib';
import type { Access, ExecutionResult, LocalCloud, LocalCloudOptions } from '../../local';
import {
  outputOf,
  PREFIX,
  putRequests,
  redriven,
  startBatch,
  synthesizeBatch,
} from '../support/deployed-batch';
import { requestOf, rows, start, succeeded, synthesize, userFunction } from '../support/deployed-pipeline';
import { coversAction, type GrantingStatement, grantingStatements } from '../support/granting-statements';
import { matchesArn } from '../../local/iam/conditions';
import { mlp, saveModel } from '../support/model-builder';
import { runWhole } from '../support/run-slices';
import { twoRows, twoTowers } from '../support/towers';
import { writtenPlan } from '../support/written-plan';

interface Example {
  readonly model: string;
  readonly inputs: ReadonlyMap<string, RawTensor>;
  readonly props: (stack: Stack) => Partial<SlicedInferencePipelineProps>;
  readonly options?: LocalCloudOptions;
  /** Whether the whole model serves the runs that find it warm. */
  readonly isConsolidated?: boolean;
  /** Puts the objects that the pipeline expects. */
  readonly prepare?: (cloud: LocalCloud) => Promise<void>;
}

const chain = saveModel(mlp(4));
const ECHO = 'exports.handler = async (event) => event;';
const ASSET_KEY = 'arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555';
const MODELS = 'the-models';
const ASSET_BUCKET = 'cdk-hnb659fds-assets-000000000000-us-east-1';

const uploaded = writtenPlan(compile(chain, count(2)));

type Body = string | Uint8Array;

async function putInto(cloud: LocalCloud, Bucket: string, Key: string, Body: Body): Promise<void> {
  const client = new S3Client(cloud.s3);
  await client.send(new PutObjectCommand({ Bucket, Key, Body }));
  client.destroy();
}

async function uploadSlices(cloud: LocalCloud): Promise<void> {
  const { plan, folder } = uploaded;
  for (const file of plan.slices.flatMap(({ model, weights }) => (weights ? [model, weights] : [model])))
    await putInto(cloud, MODELS, remoteKey('chain', file), fs.readFileSync(path.join(folder, file.file)));
}

const examples: Record<string, Example> = {
  'a Standard pipeline with keys for its bucket, its logs and its assets': {
    model: chain,
    inputs: rows(2, 1),
    props: (stack) => ({
      slicing: Slicing.count(3),
      stateMachineType: sfn.StateMachineType.STANDARD,
      encryptionKey: new kms.Key(stack, 'Key'),
      logEncryptionKey: new kms.Key(stack, 'LogKey'),
      assetEncryptionKey: kms.Key.fromKeyArn(stack, 'AssetKey', ASSET_KEY),
    }),
    options: { bucketKeys: { [ASSET_BUCKET]: ASSET_KEY } },
  },
  'an Express pipeline with branches and warm-ups': {
    model: saveModel({ graph: twoTowers() }),
    inputs: twoRows(),
    props: () => ({ slicing: Slicing.count(5), warmUp: WarmUp.ALWAYS }),
  },
  'a pipeline with S3 Express One Zone': {
    model: chain,
    inputs: rows(2, 2),
    props: () => ({ slicing: Slicing.count(3), tensorStore: TensorStore.s3ExpressOneZone('use1-az5') }),
  },
  'a pipeline in a VPC with functions before and after the slices': {
    model: chain,
    inputs: rows(2, 3),
    props: (stack) => ({
      slicing: Slicing.count(2),
      vpc: new ec2.Vpc(stack, 'Vpc'),
      preprocess: userFunction(stack, 'Before', ECHO),
      postprocess: userFunction(stack, 'After', ECHO),
    }),
  },
  'a pipeline whose slices are in an encrypted bucket': {
    model: chain,
    inputs: rows(2, 4),
    props: (stack) => {
      const encryption = s3.BucketEncryption.KMS;
      const models = new s3.Bucket(stack, 'Models', { bucketName: MODELS, encryption });
      return { modelPath: undefined, slicedModel: SlicedModel.fromBucket(models, 'chain', uploaded.file) };
    },
    prepare: uploadSlices,
  },
  'an Express pipeline of one slice': {
    model: chain,
    inputs: rows(2, 5),
    props: () => ({ stateMachineType: sfn.StateMachineType.EXPRESS }),
  },
  'an Express pipeline with consolidation': {
    model: chain,
    inputs: rows(2, 6),
    isConsolidated: true,
    props: () => ({ slicing: Slicing.count(2), consolidation: Consolidation.ALWAYS }),
  },
};

/** Deploys and runs the example, and returns what that needed, also of runs that find the results of an earlier attempt. */
async function accessesOf(example: Example, assembly: string): Promise<Access[]> {
  const { inputs, model, options, isConsolidated = false } = example;
  const accesses: Access[] = [];
  const results = encodeSafetensors(await runWhole(model, inputs));
  const found = new Set<string>();
  // Puts the results of a run before its last slice does, so that the slice finds those of an earlier attempt and reads them.
  const putResults = (run: string | undefined): void => {
    if (run === undefined || found.has(run)) return;
    found.add(run);
    void cloud.putObject(`outputs/${run}.safetensors`, results);
  };
  const cloud: LocalCloud = await start(assembly, {
    ...options,
    onAccess: (access) => {
      accesses.push(access);
      if (access.action === 's3:PutObject')
        putResults(/:::[^/]+\/runs\/(.+)\/slice-\d+\.safetensors$/.exec(access.resource)?.[1]);
    },
    onTrace: ({ executionArn }) => {
      if (executionArn.includes(':express:')) putResults(executionArn.split(':').slice(-2).join('/'));
    },
  });
  await example.prepare?.(cloud);
  await cloud.putObject('inputs/x.safetensors', encodeSafetensors(inputs));
  const stored = { version: 1, inputs: { s3: 'inputs/x.safetensors' } };
  if (isConsolidated) {
    // The slices serve a first run, beside which the whole model loads for the next one.
    expect(succeeded(await cloud.execute(stored)).servedBy).toBe('slices');
    await cloud.asynchronousCalls();
  }
  expect(succeeded(await cloud.execute(stored)).servedBy).toBe(isConsolidated ? 'whole' : undefined);
  const { outputs } = succeeded(await cloud.execute(requestOf(inputs)));
  expect(Object.keys(outputs.tensors ?? {})).toEqual(['y']);
  expect(cloud.notices().filter((notice) => /on AWS|not in the template/.test(notice))).toEqual([]);
  return accesses;
}

/** Each action on each resource of the statement that one of its principals did not use. */
function unused(
  { name, covers, principals, actions, resources }: GrantingStatement,
  used: readonly Access[],
): string[] {
  const own = used.filter((access) => access.refusal === undefined && covers(access));
  const users = principals.length === 0 ? [undefined] : principals;
  const isUse = (access: Access, action: string, resource: string, user?: string): boolean =>
    (user === undefined || access.principal === user) &&
    coversAction(action, access) &&
    matchesArn(resource, access.resource);
  return users.flatMap((user) =>
    actions.flatMap((action) =>
      resources
        .filter((resource) => !own.some((access) => isUse(access, action, resource, user)))
        .map((resource) => `${name}: ${action} on ${resource} by ${user ?? 'anyone'}`),
    ),
  );
}

/** The statements of roles without which each access would still be allowed. */
function replaceable(statements: readonly GrantingStatement[], accesses: readonly Access[]): string[] {
  const ofRoles = statements.filter(({ roles }) => roles.length > 0);
  const isNeeded = (own: GrantingStatement): boolean =>
    accesses.some((access) => ofRoles.every((each) => each.covers(access) === (each === own)));
  return ofRoles.filter((own) => !isNeeded(own)).map(({ name }) => name);
}

test.each(['with its own items', 'with a list in another bucket, and keys'])(
  'a batch %s is refused nothing, uses all that its statements allow, and needs each of them',
  async (name) => {
    const isList = name !== 'with its own items';
    const assembly = synthesizeBatch({
      ...{ itemsPerRun: 1, toleratedFailures: 0 },
      pipeline: (stack) => ({
        tensorsInState: false,
        ...(isList && { encryptionKey: new kms.Key(stack, 'Key') }),
      }),
      items: (pipeline) =>
        isList
          ? BatchItems.jsonLines(
              'lists/a.jsonl',
              new s3.Bucket(pipeline, 'Lists', { bucketName: 'the-lists' }),
            )
          : BatchItems.objects(PREFIX),
    });
    const accesses: Access[] = [];
    let onSlice: () => void = () => undefined;
    const cloud = await startBatch(assembly, {
      onAccess: (access) => accesses.push(access),
      onTrace: ({ type, state }) => {
        if (type === 'TaskStarted' && state === 'Slice 00') onSlice();
      },
    });
    const [key] = (await putRequests(cloud, ['a', 'b'])).keys();
    if (isList) await putInto(cloud, 'the-lists', 'lists/a.jsonl', `{"inputs":{"s3":"${key}"}}`);
    const request = await cloud.getObject(key);
    await cloud.putObject(key, Buffer.from('no request'));
    const failed = await cloud.execute({});
    expect(failed.status).toBe('FAILED');
    await cloud.putObject(key, request);
    // The second one finds the results of the first.
    for (let time = 0; time < 2; time++) outputOf(await cloud.execute({}));
    outputOf(await redriven(cloud, await stoppedAtSlice(cloud, (listener) => (onSlice = listener))));
    // To a caller without permission to list the bucket, S3 refuses a missing result.
    const isAttempt = ({ action, principal }: Access): boolean =>
      action === 's3:ListBucket' && principal.includes('NightlyRole');
    expect(accesses.filter((access) => access.refusal !== undefined && !isAttempt(access))).toEqual([]);
    const ofBatch = grantingStatements(assembly).filter(({ name }) => name.startsWith('Nightly'));
    // S3 decrypts the parts of a large upload, and this one is small.
    const isOfUpload = (statement: string): boolean => /StateMachine.*kms:Decrypt on/.test(statement);
    expect(ofBatch.flatMap((own) => unused(own, accesses)).filter((own) => !isOfUpload(own))).toEqual([]);
    expect(replaceable(ofBatch, accesses)).toEqual([]);
  },
);

/** A batch that does everything again, which is stopped when its first slice begins. */
async function stoppedAtSlice(
  cloud: LocalCloud,
  listen: (listener: () => void) => void,
): Promise<ExecutionResult> {
  const client = new SFN(cloud.stepFunctions);
  const begun = new Promise<void>((resolve) => {
    listen(resolve);
  });
  const { stateMachineArn } = cloud.stateMachine;
  const { executionArn = '' } = await client.startExecution({ stateMachineArn, input: '{"again":true}' });
  await begun;
  await client.stopExecution({ executionArn });
  client.destroy();
  return { status: 'ABORTED', executionArn, error: '', cause: '' };
}

test.each(Object.keys(examples))(
  '%s is refused nothing, uses all that its statements allow, and needs each of them',
  async (name) => {
    const example = examples[name];
    // Functions need their permissions for the tensors between slices only if these are in S3.
    const assembly = synthesize(example.model, (stack) => ({
      tensorsInState: false,
      ...example.props(stack),
    }));
    const accesses = await accessesOf(example, assembly);
    // S3 first tries to create a session that may write.
    const isAttempt = ({ action }: Access): boolean => action === 's3express:CreateSession';
    expect(accesses.filter((access) => access.refusal !== undefined && !isAttempt(access))).toEqual([]);
    const statements = grantingStatements(assembly);
    // There are statements for each slice, so none may be overlooked.
    expect(statements.length).toBeGreaterThan(8);
    expect(statements.flatMap((granting) => unused(granting, accesses))).toEqual([]);
    expect(replaceable(statements, accesses)).toEqual([]);
  },
);
