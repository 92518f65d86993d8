/**
 * Shows that the templates grant what runs need, and nothing else: without any one statement a run fails in the way it
 * does on AWS, and runs use every action on every resource that a statement allows.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setImmediate as nextTick } from 'node:timers/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
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
  Consolidation,
  SlicedModel,
  Slicing,
  TensorStore,
  WarmUp,
  type SlicedInferencePipelineProps,
} from '../../lib';
import type { Access, ExecutionResult, LocalCloud, LocalCloudOptions } from '../../local';
import { requestOf, rows, start, succeeded, synthesize, userFunction } from '../support/deployed-pipeline';
import {
  bucketNameOf,
  coversAction,
  functionsOf,
  type GrantingStatement,
  grantingStatements,
} from '../support/granting-statements';
import { matchesArn } from '../../local/iam/conditions';
import { mlp, saveModel } from '../support/model-builder';
import { runWhole } from '../support/run-slices';
import { twoRows, twoTowers } from '../support/towers';
import { writtenPlan } from '../support/written-plan';
import { cases, FULL_CHECKS } from '../support/full-checks';

/** Retries wait for a random part of their delay: for hardly any of it. The numbers also name temporary files, so they differ. */
beforeAll(() => {
  let calls = 0;
  jest.spyOn(Math, 'random').mockImplementation(() => ++calls / 1e9);
});
afterAll(() => jest.restoreAllMocks());

interface Example {
  readonly model: string;
  readonly inputs: ReadonlyMap<string, RawTensor>;
  readonly props: (stack: Stack) => Partial<SlicedInferencePipelineProps>;
  readonly options?: LocalCloudOptions;
  /** Whether the whole model serves the runs that find it warm. */
  readonly isConsolidated?: boolean;
  /** Puts the objects that the pipeline expects. */
  readonly prepare?: (assembly: string, cloud: LocalCloud) => Promise<void>;
}

const chain = saveModel(mlp(4));
const ECHO = 'exports.handler = async (event) => event;';
const ASSET_KEY = 'arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555';
const ASSET_BUCKET = 'cdk-hnb659fds-assets-000000000000-us-east-1';

const uploaded = writtenPlan(compile(chain, count(2)));

async function uploadSlices(assembly: string, cloud: LocalCloud): Promise<void> {
  const client = new S3Client(cloud.s3);
  for (const { model, weights } of uploaded.plan.slices) {
    for (const file of weights === undefined ? [model] : [model, weights]) {
      const Body = fs.readFileSync(path.join(uploaded.folder, file.file));
      const Key = remoteKey('chain', file);
      await client.send(new PutObjectCommand({ Bucket: bucketNameOf(assembly, 'Models'), Key, Body }));
    }
  }
  client.destroy();
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
      const models = new s3.Bucket(stack, 'Models', { encryption: s3.BucketEncryption.KMS });
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

const REQUEST = { version: 1, inputs: { s3: 'inputs/x.safetensors' } };

/** Runs one example with any of its assemblies. */
class Bench {
  readonly accesses: Access[] = [];
  private cloud: LocalCloud | undefined;
  private results: Uint8Array = new Uint8Array(0);
  private firstResults = new Set<string>();

  constructor(
    readonly example: Example,
    readonly assembly: string,
  ) {}

  async start(): Promise<void> {
    this.cloud = await start(this.assembly, {
      ...this.example.options,
      onAccess: (access) => {
        const { action, resource } = access;
        this.accesses.push(access);
        if (action === 's3:PutObject')
          this.putResults(/:::[^/]+\/runs\/(.+)\/slice-\d+\.safetensors$/.exec(resource)?.[1]);
      },
      onTrace: ({ executionArn }) => {
        if (executionArn.includes(':express:')) this.putResults(executionArn.split(':').slice(-2).join('/'));
      },
    });
    await this.example.prepare?.(this.assembly, this.cloud);
    const { inputs, model } = this.example;
    this.results = encodeSafetensors(await runWhole(model, inputs));
    await this.deployed.putObject('inputs/x.safetensors', encodeSafetensors(inputs));
  }

  get deployed(): LocalCloud {
    if (this.cloud === undefined) throw new Error('not started');
    return this.cloud;
  }

  /** With consolidation, the slices serve a first run, beside which the whole model loads for the run that is returned. */
  async run(): Promise<ExecutionResult> {
    if (this.example.isConsolidated) {
      const running = this.deployed.workers().map(({ logicalId }) => logicalId);
      await this.restart(running.filter((logicalId) => /whole/i.test(logicalId)));
      const first = await this.deployed.execute(REQUEST);
      // A loader that is ended holds its claim for its function's timeout, so no other one loads.
      await this.deployed.asynchronousCalls();
      if (first.status !== 'SUCCEEDED') return first;
    }
    return this.deployed.execute(REQUEST);
  }

  /** Deploys an assembly and runs it, and says how that ended. Workers keep the slices that they have loaded. */
  async outcome(assembly: string): Promise<string> {
    this.accesses.length = 0;
    try {
      await this.deployed.deploy(assembly);
    } catch (error) {
      return `refused: ${(error as Error).message}`;
    }
    const result = await this.run();
    if (result.status !== 'SUCCEEDED') return `failed: ${result.error}`;
    const texts = [...this.deployed.notices(), ...this.deployed.logs().values()];
    return [`served by ${succeeded(result).servedBy}`, ...texts].join('\n');
  }

  /** Lets the next calls of the functions load their slices. */
  async restart(logicalIds?: readonly string[]): Promise<void> {
    const running = () =>
      this.deployed.workers().filter(({ logicalId }) => logicalIds?.includes(logicalId) ?? true);
    const folders = running().map(({ pid, temporaryFolder: folder }) => {
      process.kill(pid, 'SIGKILL');
      return folder;
    });
    while (running().length > 0) await nextTick();
    // A sandbox keeps its /tmp, where the files of its slice are.
    for (const folder of folders) fs.rmSync(folder, { recursive: true, maxRetries: 20 });
    for (const folder of folders) fs.mkdirSync(folder);
  }

  /** Puts the results of a run before its last slice does, so that the slice finds those of an earlier attempt and reads them. */
  private putResults(run: string | undefined): void {
    if (run === undefined || this.firstResults.has(run)) return;
    this.firstResults.add(run);
    void this.deployed.putObject(`outputs/${run}.safetensors`, this.results);
  }
}

/** What must happen without a statement, by the action that it allows. With consolidation, the slices serve a run instead. */
const CONSEQUENCES: readonly [action: RegExp, outcome: RegExp][] = [
  [/^sts:AssumeRole$/, /^refused: .*(cannot be assumed by Lambda|is authorized to assume the provided role)/],
  [/^ec2:/, /^refused: .*does not have permissions to call \w+ on EC2/],
  [/^logs:CreateLogDelivery$/, /^refused: .*is not authorized to access the Log Destination/],
  [/^kms:\*$/, /^refused: .*will not allow you to update the key policy in the future/],
  [/^kms:Encrypt\*$/, /^refused: .*KMS key does not exist or is not allowed to be used/],
  [
    /^xray:/,
    /^refused: .*permissions to call Put\w+ on XRAY|^served [^]*the traces of executions would be missing: User: .* xray:/,
  ],
  [/^s3express:CreateSession$/, /^failed: SliceFailed$|^served [^]*would not expire: Service: /],
  [
    /^logs:PutLogEvents$/,
    /^served [^]*\nthe log lines of this function are lost: User: .* logs:CreateLogStream/,
  ],
  [/^lambda:InvokeFunction$/, /^failed: Lambda\.AWSLambdaException$|^served by slices\n/],
  [/^(s3|kms):/, /^failed: (SliceFailed|InvalidInput)$|^served by slices\n/],
];

/** Returns why the removal of the statement goes unnoticed, or `undefined` if it has the right consequence. */
async function unnoticed(bench: Bench, granting: GrantingStatement): Promise<string | undefined> {
  const consequence = CONSEQUENCES.find(([action]) => granting.actions.some((name) => action.test(name)));
  if (consequence === undefined) return `no consequence is known for ${granting.actions.join()}`;
  const [, expected] = consequence;
  const isNoticed = (outcome: string): boolean =>
    expected.test(outcome) &&
    bench.accesses.some((access) => access.refusal !== undefined && granting.covers(access));
  const assembly = granting.without();
  let outcome = await bench.outcome(assembly);
  if (!isNoticed(outcome) && !outcome.startsWith('refused')) {
    const { roles } = granting;
    await bench.restart(roles.length === 0 ? undefined : functionsOf(bench.assembly, roles));
    outcome = await bench.outcome(assembly);
  }
  return isNoticed(outcome) ? undefined : outcome;
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

async function examine(example: Example) {
  // Functions need their permissions for the tensors between slices only if these are in S3.
  const assembly = synthesize(example.model, (stack) => ({
    tensorsInState: false,
    ...example.props(stack),
  }));
  const bench = new Bench(example, assembly);
  await bench.start();
  expect(succeeded(await bench.run()).servedBy).toBe(example.isConsolidated ? 'whole' : undefined);
  const { outputs } = succeeded(await bench.deployed.execute(requestOf(example.inputs)));
  expect(Object.keys(outputs.tensors ?? {})).toEqual(['y']);
  expect(bench.deployed.notices().filter((notice) => /on AWS|not in the template/.test(notice))).toEqual([]);
  const used = [...bench.accesses];
  // S3 first tries to create a session that may write.
  const isAttempt = ({ action }: Access): boolean => action === 's3express:CreateSession';
  expect(used.filter((access) => access.refusal !== undefined && !isAttempt(access))).toEqual([]);

  const statements = grantingStatements(assembly);
  const missed: string[] = [];
  for (const granting of statements) {
    const got = await unnoticed(bench, granting);
    if (got !== undefined) missed.push(`${granting.name}: ${got}`);
  }
  await bench.deployed.deploy(assembly);
  await bench.restart();
  succeeded(await bench.run());
  return {
    statements: statements.length,
    unnoticed: missed,
    unused: statements.flatMap((granting) => unused(granting, used)),
  };
}

/** In `npm test`; the others have other stores, networks and functions. */
const FEW = [
  'a Standard pipeline with keys for its bucket, its logs and its assets',
  'an Express pipeline with consolidation',
];

test('without any one statement a deployment or a run shows it, and runs use all that the statements allow', async () => {
  const findings = await Promise.all(
    Object.entries(examples)
      .filter(([name]) => FULL_CHECKS || FEW.includes(name))
      .map(async ([name, example]) => [name, await examine(example)] as const),
  );
  const nothing = { unnoticed: [], unused: [] };
  for (const [name, found] of findings) expect([name, found]).toMatchObject([name, nothing]);
  // The templates have statements for each slice, so none may be overlooked.
  const total = findings.reduce((sum, [, { statements }]) => sum + statements, 0);
  expect(total).toBeGreaterThan(cases(25, 90));
});
