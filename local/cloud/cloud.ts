/** The local cloud: runs the pipeline of a synthesized assembly on this machine, without an AWS account. */
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
import { FaultInjector, type Faults } from '../faults/injector';
import type { FaultKind } from '../faults/kinds';
import type { FaultTarget } from '../faults/target';
import { callWithFaults, startWithFaults } from '../lambda/call-faults';
import { CodeFolders } from '../lambda/code';
import { Concurrency } from '../lambda/concurrency';
import type { Admission } from '../lambda/function-pool';
import { guardFolder, unguardFolder } from '../lambda/guardian';
import { LocalFunctions } from '../lambda/local-functions';
import { NodeBinaries } from '../lambda/node-binaries';
import type { WorkerProcess } from '../lambda/worker-process';
import { type Pipeline, selectPipeline } from '../cloudformation/pipeline';
import { administrator, readPolicies } from '../cloudformation/policies';
import { publishAssets } from '../cloudformation/publish';
import { PublishedVersions } from '../cloudformation/published-versions';
import { type FunctionResource, readBucketName, readDirectoryBucketName } from '../cloudformation/resources';
import { Authorizer } from '../iam/authorizer';
import { roleSession } from '../iam/principals';
import { Callers } from '../s3/callers';
import { S3Server } from '../s3/server';
import { DiskObjectStore } from '../s3/store';
import { Traffic } from '../simulation/traffic';
import { StepFunctionsServer } from '../step-functions/api/server';
import type { ExecutionResult } from '../step-functions/execution';
import type { CertificateAuthority, S3Access, StepFunctionsAccess } from './access';
import { checkRoles } from './check-roles';
import type { LocalCloudOptions } from './options';
import { OtherServices } from './other-services';
import { checkInvoke, logRefusal } from './service-permissions';
import { parseDefinition } from '../step-functions/parse-definition';
import { StateMachine } from '../step-functions/state-machine';
import { atExit } from './at-exit';
import { makeServerCertificate, type ServerCertificate } from '../tls/certificate';

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
    const folder = fs.mkdtempSync(path.resolve(os.tmpdir(), 'sliced-inference-local-'));
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
  private otherServices: OtherServices | undefined;
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
    guardFolder(folder);
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

  /** An endpoint for AWS_ENDPOINT_URL: it refuses each request to another service by name, which would reach AWS otherwise. */
  get otherServicesEndpoint(): string {
    return started(this.otherServices).endpoint;
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
    await this.otherServices?.close();
    await rm(this.folder, { recursive: true, force: true });
    unguardFolder(this.folder);
    this.forgetExit();
  }

  private async prepare(pipeline: Pipeline): Promise<void> {
    const { ports } = this.options;
    const { account, region } = pipeline.template.environment;
    const certificate = this.options.tls === false ? undefined : this.makeCertificate();
    const { authorizer } = this;
    this.s3Server = await S3Server.start(this.store, this.callers, {
      region,
      account,
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
      logRefusal: (fn, logStream) => logRefusal(authorizer, fn, logStream),
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
    // The last one, because its free port must not be one of those above.
    this.otherServices = await OtherServices.start(certificate);
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
        invoke: async (functionArn, payload, traceHeader) => {
          checkInvoke(this.authorizer, this.deployed.stateMachine.roleArn, functionArn);
          return callWithFaults(this.injector, { functionArn, payload }, () =>
            functions.invoke(functionArn, payload, traceHeader),
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
        AWS_ENDPOINT_URL: this.otherServicesEndpoint,
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

  /** An exit handler can only do synchronous work. If this process is killed, the guardian does it. */
  private readonly onProcessExit = (): void => {
    this.functions?.kill();
    fs.rmSync(this.folder, { recursive: true, force: true });
  };
}

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new LocalCloudError('the local cloud is not started: use LocalCloud.start()');
  return part;
}
