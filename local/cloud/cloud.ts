/** The local cloud: runs the pipeline of a synthesized assembly on this machine, without an AWS account. */
import { randomBytes, randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { rm } from 'node:fs/promises';
import * as https from 'node:https';
import * as os from 'node:os';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { readAssembly } from '../cloudformation/assembly';
import { LocalCloudError } from '../basics/errors';
import { Notices } from '../basics/notices';
import type { Json, JsonObject } from '../basics/json';
import { FaultInjector, type Faults, type InjectedFault } from '../faults/injector';
import type { FaultKind } from '../faults/kinds';
import type { FaultTarget } from '../faults/target';
import { callWithFaults, startWithFaults } from '../lambda/call-faults';
import { CodeFolders } from '../lambda/code';
import { Concurrency } from '../lambda/concurrency';
import type { LogListener } from '../lambda/function-log';
import type { Admission } from '../lambda/function-pool';
import { LocalFunctions } from '../lambda/local-functions';
import { NodeBinaries } from '../lambda/node-binaries';
import type { WorkerProcess } from '../lambda/worker-process';
import { type Pipeline, selectPipeline } from '../cloudformation/pipeline';
import { administrator, readPolicies } from '../cloudformation/policies';
import { publishAssets } from '../cloudformation/publish';
import { PublishedVersions } from '../cloudformation/published-versions';
import { type FunctionResource, readBucketName, readDirectoryBucketName } from '../cloudformation/resources';
import { type Access, Authorizer } from '../iam/authorizer';
import { roleSession } from '../iam/principals';
import { Callers } from '../s3/callers';
import type { IdleConnectionFate } from '../s3/idle-connections';
import { S3Server } from '../s3/server';
import { DiskObjectStore } from '../s3/store';
import type { Simulation } from '../simulation/simulation';
import { Traffic } from '../simulation/traffic';
import { StepFunctionsServer } from '../step-functions/api/server';
import { StateError } from '../step-functions/errors';
import type { ExecutionResult, TraceEvent } from '../step-functions/execution';
import { checkRoles } from './check-roles';
import { parseDefinition } from '../step-functions/parse-definition';
import { StateMachine } from '../step-functions/state-machine';
import { atExit } from './at-exit';
import { makeServerCertificate, type ServerCertificate } from '../tls/certificate';

export interface LocalCloudOptions {
  /**
   * Which pipeline to run: its stack's name, its state machine's logical id, or both as `stack/logicalId`.
   * @default - the assembly's only pipeline
   */
  readonly pipeline?: string;
  /** Called with each line that a function writes. */
  readonly onLog?: LogListener;
  /** Called with each event of an execution. */
  readonly onTrace?: (event: TraceEvent) => void;
  /** Called with each decision about a permission. */
  readonly onAccess?: (access: Access) => void;
  /**
   * ARNs of the KMS keys of buckets that the pipeline's stack does not define, by the bucket's name. The bucket of CDK's assets
   * is one of them.
   * @default - these buckets are not encrypted with a customer managed key
   */
  readonly bucketKeys?: Readonly<Record<string, string>>;
  /**
   * Slows S3, cold starts and state transitions down to about their speed on AWS. The times of such a run are simulated.
   * @default - everything runs as fast as this machine allows
   */
  readonly simulation?: Simulation;
  /**
   * The ports that S3 and Step Functions listen on, of the loopback interface.
   * @default - free ports
   */
  readonly ports?: { readonly s3: number; readonly stepFunctions: number };
  /**
   * Concurrent calls of all functions, as in your AWS account. New accounts often have 10.
   * @default 1000
   */
  readonly concurrency?: number;
  /**
   * Node.js binaries by major version, such as `{ '22': '/opt/node-22/bin/node' }`, for functions that declare this version.
   * @default - the environment variable SLICED_INFERENCE_NODE_22, PATH, version managers, and npm's package `node`
   */
  readonly nodeBinaries?: Readonly<Record<string, string>>;
  /**
   * Whether the functions' processes stand still between calls, as on Lambda. Never on Windows.
   * @default true
   */
  readonly freezes?: boolean;
  /**
   * What happens to a function's idle connections to S3 when it stands still: `forget` never answers on them again.
   * @default 'keep'
   */
  readonly idleConnections?: IdleConnectionFate;
  /**
   * Whether S3 speaks TLS, as on AWS. Plain HTTP is for comparisons.
   * @default true
   */
  readonly tls?: boolean;
  /**
   * Faults of S3, Lambda and the network that functions meet.
   * @default - none
   */
  readonly faults?: Faults;
  /** Called with each fault that was injected. */
  readonly onFault?: (fault: InjectedFault) => void;
  /**
   * How long the state machine waits before it retries, as a share of what its definition says. Functions wait as long as ever.
   * @default 1
   */
  readonly retryPauses?: number;
}

/** How to reach the local S3 with the AWS SDK: pass it to `new S3Client()`. */
export interface S3Access {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Makes the SDK trust the local S3. Absent without TLS. */
  readonly requestHandler?: { readonly httpsAgent: https.Agent };
  /** The authority that other clients must trust. Absent without TLS. */
  readonly certificateAuthority?: CertificateAuthority;
}

/** Certificate of the authority that signed the local cloud's own. It is made at each start. */
export interface CertificateAuthority {
  readonly pem: string;
  /** A file with `pem`, for NODE_EXTRA_CA_CERTS and AWS_CA_BUNDLE. It exists until the cloud is closed. */
  readonly file: string;
}

/** How to reach the local Step Functions with the AWS SDK: pass it to `new SFNClient()`. */
export interface StepFunctionsAccess extends S3Access {
  /** Without it the SDK calls StartSyncExecution at the host `sync-127.0.0.1`, which does not exist. */
  readonly disableHostPrefix: true;
}

/** The pipeline that a local cloud runs. */
export interface LocalPipeline {
  readonly stackName: string;
  readonly stateMachineArn: string;
  readonly stateMachineType: 'STANDARD' | 'EXPRESS';
  readonly bucket: string;
  /** The pipeline's signature, which the construct wrote into the comment of the definition. */
  readonly signature: JsonObject;
}

export class LocalCloud {
  /**
   * Publishes the assembly's assets and prepares its pipeline. Close the cloud after use.
   * @throws LocalCloudError when the assembly needs something that the local cloud does not support
   */
  static async start(assemblyPath: string, options: LocalCloudOptions = {}): Promise<LocalCloud> {
    const versions = new PublishedVersions();
    const pipeline = selectPipeline(readAssembly(assemblyPath), options.pipeline, versions);
    const injector = new FaultInjector(options.faults, options.onFault);
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-inference-local-'));
    const cloud = new LocalCloud(pipeline, versions, folder, injector, options);
    try {
      await cloud.prepare(pipeline);
      return cloud;
    } catch (error) {
      await cloud.close();
      throw error;
    }
  }

  private readonly store: DiskObjectStore;
  private readonly callers = new Callers();
  private readonly credentials: S3Access['credentials'];
  private readonly authorizer: Authorizer;
  private readonly noticed = new Notices();
  private readonly closing = new AbortController();
  private readonly forgetExit: () => void;
  private s3Server: S3Server | undefined;
  private stepFunctionsServer: StepFunctionsServer | undefined;
  private certificateAuthority: CertificateAuthority | undefined;
  private functions: LocalFunctions | undefined;
  private stateMachine: StateMachine | undefined;

  private constructor(
    private deployed: Pipeline,
    private readonly versions: PublishedVersions,
    private readonly folder: string,
    private readonly injector: FaultInjector,
    private readonly options: LocalCloudOptions,
  ) {
    this.store = new DiskObjectStore(path.join(folder, 's3'));
    this.forgetExit = atExit(this.onProcessExit);
    this.authorizer = new Authorizer(options.onAccess);
    const { account } = this.deployed.template.environment;
    this.credentials = this.callers.add({ principal: administrator(account) });
  }

  get pipeline(): LocalPipeline {
    const { stack, stateMachine, bucket, signature } = this.deployed;
    const { arn: stateMachineArn, type: stateMachineType } = stateMachine;
    return { stackName: stack.name, stateMachineArn, stateMachineType, bucket, signature };
  }

  /** Access to the local S3, which holds the pipeline's bucket and the published assets. */
  get s3(): S3Access {
    const { region } = this.deployed.template.environment;
    const access = { endpoint: started(this.s3Server).endpoint, region, credentials: this.credentials };
    const { certificateAuthority } = this;
    if (certificateAuthority === undefined) return access;
    // An agent and not its options, which the SDK ignores for bodies that wait for `100 Continue`.
    const httpsAgent = new https.Agent({ ca: certificateAuthority.pem, keepAlive: true, maxSockets: 50 });
    return { ...access, requestHandler: { httpsAgent }, certificateAuthority };
  }

  /** Access to the local Step Functions, which has the pipeline's state machine. */
  get stepFunctions(): StepFunctionsAccess {
    return { ...this.s3, endpoint: started(this.stepFunctionsServer).endpoint, disableHostPrefix: true };
  }

  /**
   * Deploys another assembly over this one, like a stack update: functions whose definition changed get a new version, and
   * running executions continue with the definition and the versions that they started with.
   * @throws LocalCloudError when the assembly has another pipeline or needs something that the local cloud does not support
   */
  async deploy(assemblyPath: string): Promise<void> {
    const pipeline = selectPipeline(readAssembly(assemblyPath), this.options.pipeline, this.versions);
    const [before, now] = [this.deployed, pipeline].map(({ stateMachine }) => stateMachine.arn);
    if (before !== now) {
      throw new LocalCloudError(
        `the new assembly must have the state machine ${before}, got ${now}: start another local cloud for it`,
      );
    }
    await this.bringUp(pipeline);
  }

  /** Writes an object into the pipeline's bucket. */
  async putObject(key: string, body: Uint8Array | Readable): Promise<void> {
    const stream = body instanceof Readable ? body : Readable.from([Buffer.from(body)]);
    await this.store.put(this.deployed.bucket, key, stream);
  }

  /** Reads an object of the pipeline's bucket into memory. Rejects with an error named `NoSuchKey` if there is none. */
  async getObject(key: string): Promise<Buffer> {
    return await buffer(this.store.read(this.store.head(this.deployed.bucket, key)));
  }

  /**
   * Runs the pipeline's state machine to its end. A failed execution is a result, not an exception.
   * @throws LocalCloudError when the execution cannot start, or when the cloud is closed before it ends
   */
  async execute(input: Json, options: { readonly name?: string } = {}): Promise<ExecutionResult> {
    return await started(this.stateMachine).execute(input, options.name);
  }

  /** The running processes of the functions. */
  workers(): readonly WorkerProcess[] {
    return this.functions?.workers() ?? [];
  }

  /** The last output of each function, by the function's name. */
  logs(): ReadonlyMap<string, string> {
    return this.functions?.logs() ?? new Map();
  }

  /**
   * What this machine did differently than AWS so far, such as not knowing an imported role, and what would be missing on AWS
   * although executions succeed, such as traces. Each is one line.
   */
  notices(): readonly string[] {
    return this.noticed.list();
  }

  /** Replaces the faults from now on; `undefined` ends them. */
  injectFaults(faults: Faults | undefined): void {
    this.injector.use(faults);
  }

  /** How many faults of each kind were injected so far. */
  faults(): ReadonlyMap<FaultKind, number> {
    return this.injector.counts();
  }

  /** Ends executions, kills the functions' processes, stops the servers and removes all files. */
  async close(): Promise<void> {
    this.closing.abort(new LocalCloudError('the local cloud is closed: start another one'));
    await this.functions?.close();
    await this.stepFunctionsServer?.close();
    await this.s3Server?.close();
    await rm(this.folder, { recursive: true, force: true });
    this.forgetExit();
  }

  private async prepare(pipeline: Pipeline): Promise<void> {
    const { ports } = this.options;
    const { region } = pipeline.template.environment;
    const certificate = this.options.tls === false ? undefined : this.makeCertificate();
    const { authorizer } = this;
    this.s3Server = await S3Server.start(this.store, this.callers, {
      region,
      certificate,
      authorizer,
      port: ports?.s3,
      faults: this.injector,
    });
    this.functions = new LocalFunctions({
      code: new CodeFolders(this.store, path.join(this.folder, 'code')),
      folder: path.join(this.folder, 'workers'),
      region,
      admit: (fn, sandbox) => this.admitWorker(fn, sandbox),
      beforeStart: (fn, payload) => startWithFaults(this.injector, fn.name, payload),
      logRefusal: (fn, logStream) => this.logRefusal(fn, logStream),
      concurrency: new Concurrency(this.options.concurrency),
      nodes: new NodeBinaries(this.options.nodeBinaries),
      notices: this.noticed,
      freezes: this.options.freezes,
      coldStartMs: this.options.simulation?.coldStartMs,
      onLog: this.options.onLog,
    });
    await this.bringUp(pipeline);
    const stateMachine = started(this.stateMachine);
    this.stepFunctionsServer = await StepFunctionsServer.start(stateMachine, this.callers, {
      region,
      certificate,
      port: ports?.stepFunctions,
    });
  }

  /** Validates everything before it copies the first byte, and replaces the state machine last. */
  private async bringUp(pipeline: Pipeline): Promise<void> {
    const { store } = this;
    const functions = started(this.functions);
    const { template, stateMachine } = pipeline;
    const definition = parseDefinition(stateMachine.definition);
    const replaceFunctions = functions.prepare(template, definition);
    for (const bucket of template.referredResources('AWS::S3::Bucket')) {
      store.createBucket(readBucketName(template, bucket));
    }
    for (const bucket of template.referredResources('AWS::S3Express::DirectoryBucket')) {
      store.createBucket(readDirectoryBucketName(template, bucket));
    }
    const policies = readPolicies(template, stateMachine, this.options.bucketKeys);
    const checked = new Authorizer(this.options.onAccess);
    checked.update(policies);
    const notices = checkRoles({ template, stateMachine, policies, authorizer: checked });
    // Needed if the stack imports the pipeline's bucket instead of defining it.
    store.createBucket(pipeline.bucket);
    await publishAssets(pipeline.stack, store);
    replaceFunctions();
    this.authorizer.update(policies);
    for (const notice of notices) this.noticed.add(notice, notice);
    this.stateMachine?.update(stateMachine, definition);
    this.stateMachine ??= new StateMachine(
      stateMachine,
      {
        invoke: async (functionArn, payload) => {
          this.checkInvoke(functionArn);
          return callWithFaults(this.injector, { functionArn, payload }, () =>
            functions.invoke(functionArn, payload),
          );
        },
        trace: this.options.onTrace,
        signal: this.closing.signal,
        transitionMs: this.options.simulation?.transitionMs,
        retryPauses: this.options.retryPauses,
      },
      definition,
    );
    this.deployed = pipeline;
  }

  /** The key of the certificate stays in memory. Only the authority's certificate becomes a file. */
  private makeCertificate(): ServerCertificate {
    const certificate = makeServerCertificate();
    const file = path.join(this.folder, 'certificate-authority.pem');
    fs.writeFileSync(file, certificate.authority);
    this.certificateAuthority = { pem: certificate.authority, file };
    return certificate;
  }

  /**
   * The error name and the text are those of https://github.com/awslabs/aws-deployment-framework/issues/460.
   * @throws StateError if the state machine's role may not call the function
   */
  private checkInvoke(functionArn: string): void {
    const { roleArn } = this.deployed.stateMachine;
    if (roleArn === undefined) return;
    const refusal = this.authorizer.refusal(roleSession(roleArn, randomId()), {
      action: 'lambda:InvokeFunction',
      resource: functionArn,
      // arn:partition:lambda:region:account:function:name[:qualifier]
      policyOf: functionArn.split(':').slice(0, 7).join(':'),
    });
    if (refusal === undefined) return;
    const service = `Service: AWSLambda; Status Code: 403; Error Code: AccessDeniedException; Request ID: ${randomUUID()}; Proxy: null`;
    throw new StateError('Lambda.AWSLambdaException', `${refusal} (${service})`);
  }

  /** Why a function's role may not write to its log group. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html */
  private logRefusal(fn: FunctionResource, logStream: string): string | undefined {
    const { account, region } = this.authorizer;
    const session = roleSession(fn.roleArn, fn.name);
    const stream = `arn:aws:logs:${region}:${account}:log-group:${fn.logGroup}:log-stream:`;
    const needs = [
      ...(fn.createsLogGroup ? [{ action: 'logs:CreateLogGroup', resource: stream } as const] : []),
      { action: 'logs:CreateLogStream', resource: `${stream}${logStream}` } as const,
      { action: 'logs:PutLogEvents', resource: `${stream}${logStream}` } as const,
    ];
    for (const need of needs) {
      const refusal = this.authorizer.refusal(session, need);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  private admitWorker(fn: FunctionResource, target: FaultTarget): Admission {
    const network = this.options.simulation?.network;
    const credentials = this.callers.addTemporary({
      principal: roleSession(fn.roleArn, fn.name, { functionArn: fn.arn }),
      ...(network && { traffic: new Traffic(network) }),
      target,
    });
    return {
      environment: {
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_SESSION_TOKEN: credentials.sessionToken,
        AWS_ENDPOINT_URL_S3: this.s3.endpoint,
        ...(this.certificateAuthority && { NODE_EXTRA_CA_CERTS: this.certificateAuthority.file }),
      },
      onFrozen: () => {
        this.s3Server?.connections.lose(credentials.accessKeyId, this.options.idleConnections ?? 'keep');
      },
      end: () => {
        this.callers.remove(credentials);
      },
    };
  }

  /** An exit handler can only do synchronous work. If this process is killed, workers end by themselves. */
  private readonly onProcessExit = (): void => {
    this.functions?.kill();
    fs.rmSync(this.folder, { recursive: true, force: true });
  };
}

/** The names of Step Functions' sessions are random. */
function randomId(): string {
  return randomBytes(16).toString('hex');
}

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new LocalCloudError('the local cloud is not started: use LocalCloud.start()');
  return part;
}
