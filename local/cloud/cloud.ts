/** The local cloud: runs the state machines of a synthesized stack on this machine, without an AWS account. */
import * as fs from 'node:fs';
import { rm } from 'node:fs/promises';
import * as https from 'node:https';
import * as os from 'node:os';
import * as path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { HttpApiServer } from '../api-gateway/server';
import { readAssembly, type StackEnvironment } from '../cloudformation/assembly';
import { closedCloud, LocalCloudError } from '../local-cloud-error';
import { Notices } from '../notices';
import type { Json } from '../json';
import { FaultInjector, type Faults } from '../faults/injector';
import type { FaultKind } from '../faults/kinds';
import { guardFolder, unguardFolder } from '../lambda/guardian';
import { startLambdaServer } from '../lambda/api';
import { FunctionUrls } from '../lambda/function-urls';
import type { LocalFunctions } from '../lambda/local-functions';
import type { WorkerProcess } from '../lambda/sandbox';
import { selectStateMachine, type Selection } from '../cloudformation/pipeline';
import { administrator } from '../cloudformation/policies';
import { publishAssets } from '../cloudformation/publish';
import { PublishedVersions } from '../cloudformation/resource';
import type { LoopbackServer } from '../http/loopback-server';
import { Authorizer } from '../iam/authorizer';
import { Callers } from '../s3/callers';
import { startS3Server } from '../s3/server';
import { DiskObjectStore } from '../s3/store';
import { simulationOf } from '../simulation/presets';
import { readEnvironment } from '../../lib/compile/files/read-constants';
import { Simulator } from '../simulation/simulator';
import { startStepFunctionsServer } from '../step-functions/api/server';
import type { ExecutionResult } from '../step-functions/execution';
import { makeCertificate, type S3Access, type StepFunctionsAccess } from './access';
import { type CloudHost, deployMachines } from './deploy-machines';
import { chosenPipeline, describeMachine, type Deployment, readDeployment } from './deployment';
import { createFunctions } from './functions';
import type { LocalPipeline, LocalStateMachine } from './local-pipeline';
import type { LocalCloudOptions } from './options';
import { startOtherServices } from './other-services';
import { StateMachines } from '../step-functions/state-machines';

/** By this factor, a busy machine may be slower than AWS. */
const SLOW_MACHINE = 10;

export class LocalCloud {
  /**
   * Publishes the assembly's assets and prepares its pipeline. Close the cloud after use.
   * @throws LocalCloudError when the assembly needs something that the local cloud does not support
   */
  static async start(assemblyPath: string, options: LocalCloudOptions = {}): Promise<LocalCloud> {
    const selection = selectStateMachine(readAssembly(assemblyPath), options.pipeline);
    const cloud = new LocalCloud(selection.stack.environment, options);
    try {
      await cloud.prepare(selection);
      return cloud;
    } catch (error) {
      await cloud.close();
      throw error;
    }
  }

  private readonly host: CloudHost;
  private readonly versions = new PublishedVersions();
  private readonly credentials: S3Access['credentials'];
  private readonly machines = new StateMachines();
  private readonly closing = new AbortController();
  private readonly certified: ReturnType<typeof makeCertificate>;
  private s3Server: LoopbackServer | undefined;
  private stepFunctionsServer: LoopbackServer | undefined;
  private lambdaServer: LoopbackServer | undefined;
  private httpApi: HttpApiServer | undefined;
  private urls: FunctionUrls | undefined;
  private otherServices: LoopbackServer | undefined;
  private functions: LocalFunctions | undefined;
  private deployed: Deployment | undefined;

  private constructor(
    { account, region }: StackEnvironment,
    private readonly options: LocalCloudOptions,
  ) {
    const injector = new FaultInjector(options.faults, options.onFault);
    const { simulation, simulationEnvironment: file, simulationSeed } = options;
    const environment = file === undefined ? undefined : readEnvironment(file);
    const simulator = new Simulator(simulationOf(simulation, environment), simulationSeed);
    const authorizer = new Authorizer(options.onAccess);
    const folder = fs.mkdtempSync(path.resolve(os.tmpdir(), 'sliced-inference-local-'));
    guardFolder(folder);
    this.certified = makeCertificate(folder);
    const store = new DiskObjectStore(path.join(folder, 's3'), options.onWrite);
    this.host = {
      ...{ injector, simulator, authorizer, folder, store, options, region },
      timeouts: options.timeouts ?? SLOW_MACHINE,
      callers: new Callers(),
      notices: new Notices(options.onNotice),
      signal: this.closing.signal,
      endpoints: () => ({
        AWS_ENDPOINT_URL_S3: this.s3.endpoint,
        AWS_ENDPOINT_URL: this.otherServicesEndpoint,
        NODE_EXTRA_CA_CERTS: this.certified.authority.file,
      }),
    };
    this.credentials = this.host.callers.add({ principal: administrator(account) });
  }

  /** The state machine that this cloud was started for: that of a pipeline, or one of your own. */
  get stateMachine(): LocalStateMachine {
    const { stack, selected } = started(this.deployed);
    return describeMachine(stack.name, selected);
  }

  /** The pipelines of the stack whose state machines run here. */
  get pipelines(): readonly LocalPipeline[] {
    return started(this.deployed).pipelines;
  }

  /**
   * The pipeline that this cloud was started for. For a state machine of your own, the only pipeline of its stack.
   * @throws LocalCloudError when the stack of your own state machine has no pipeline, or several
   */
  get pipeline(): LocalPipeline {
    return chosenPipeline(started(this.deployed));
  }

  /** Access to the local S3, which holds the stack's buckets and the published assets. */
  get s3(): S3Access {
    const { credentials, certified, host } = this;
    const { authority: certificateAuthority } = certified;
    const { endpoint } = started(this.s3Server);
    // An agent and not its options, which the SDK ignores for bodies that wait for `100 Continue`.
    const httpsAgent = new https.Agent({ ca: certificateAuthority.pem, keepAlive: true, maxSockets: 50 });
    const requestHandler = { httpsAgent };
    return { endpoint, region: host.region, credentials, requestHandler, certificateAuthority };
  }

  /** Access to the local Step Functions, which has the stack's state machines. */
  get stepFunctions(): StepFunctionsAccess {
    return { ...this.s3, endpoint: started(this.stepFunctionsServer).endpoint, disableHostPrefix: true };
  }

  /** Access to the local Lambda, which has the functions that callers invoke: pass it to `new LambdaClient()`. */
  get lambda(): S3Access {
    return { ...this.s3, endpoint: started(this.lambdaServer).endpoint };
  }

  /** The URL of the stack's HTTP API, without a slash at its end; `undefined` if no HTTP API starts a state machine. */
  get httpEndpoint(): string | undefined {
    return this.httpApi?.endpoint;
  }

  /** The URLs of functions, by the ARN of their alias, each with a slash at its end. */
  get functionUrls(): ReadonlyMap<string, string> {
    return this.urls?.endpoints() ?? new Map();
  }

  /** An endpoint for AWS_ENDPOINT_URL: it refuses each request to another service by name, which would reach AWS otherwise. */
  get otherServicesEndpoint(): string {
    return started(this.otherServices).endpoint;
  }

  /**
   * Deploys another assembly over this one, like a stack update: functions whose definition changed get a new version, and
   * running executions continue with the definition and the versions that they started with.
   * @throws LocalCloudError when the assembly has another state machine or needs something that the local cloud does not support
   */
  async deploy(assemblyPath: string): Promise<void> {
    const selection = selectStateMachine(readAssembly(assemblyPath), this.options.pipeline);
    const deployment = this.read(selection);
    const [before, now] = [started(this.deployed), deployment].map(({ selected }) => selected.arn);
    if (before !== now) {
      throw new LocalCloudError(
        `the new assembly must have the state machine ${before}, got ${now}: start another local cloud for it`,
      );
    }
    await this.bringUp(deployment);
  }

  /** Writes an object into the pipeline's bucket. */
  async putObject(key: string, body: Uint8Array | Readable): Promise<void> {
    this.closing.signal.throwIfAborted();
    const stream = body instanceof Readable ? body : Readable.from([Buffer.from(body)]);
    await this.host.store.put(this.pipeline.bucket, key, stream);
  }

  /** Reads an object of the pipeline's bucket into memory. Rejects with an error named `NoSuchKey` if there is none. */
  async getObject(key: string): Promise<Buffer> {
    this.closing.signal.throwIfAborted();
    return await buffer(this.host.store.read(this.host.store.head(this.pipeline.bucket, key)));
  }

  /**
   * Runs the state machine or the function that this cloud was started for to its end. A failed execution is a result, not an exception.
   * @throws LocalCloudError when the execution cannot start, or when the cloud is closed before it ends
   */
  async execute(input: Json, options: { readonly name?: string } = {}): Promise<ExecutionResult> {
    const { selected } = started(this.deployed);
    if (selected.isFunction) return await started(this.functions).execution(selected.arn, input);
    return await started(this.machines.find(selected.arn)).start(input, options).result;
  }

  /** Resolves when no asynchronous call of a function runs. Executions do not wait for these calls. */
  async asynchronousCalls(): Promise<void> {
    await this.functions?.asynchronousCalls();
  }

  /** The running processes of the functions. */
  workers(): readonly WorkerProcess[] {
    return this.functions?.workers() ?? [];
  }

  /**
   * Ends the sandboxes that run no call, as Lambda does with those that nobody has called for some minutes. The next calls
   * start new ones, which are cold.
   */
  async endIdleSandboxes(): Promise<void> {
    await this.functions?.endIdle();
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
    return this.host.notices.list();
  }

  /** Replaces the faults from now on; `undefined` ends them. */
  injectFaults(faults: Faults | undefined): void {
    this.host.injector.use(faults);
  }

  /** How many faults of each kind were injected so far. */
  faults(): ReadonlyMap<FaultKind, number> {
    return this.host.injector.counts();
  }

  /** Ends executions, kills the functions' processes, stops the servers and removes all files. */
  async close(): Promise<void> {
    this.closing.abort(closedCloud());
    await this.functions?.close();
    await this.httpApi?.close();
    await this.urls?.close();
    await this.stepFunctionsServer?.close();
    await this.lambdaServer?.close();
    await this.s3Server?.close();
    await this.otherServices?.close();
    await rm(this.host.folder, { recursive: true, force: true });
    unguardFolder(this.host.folder);
  }

  private async prepare(selection: Selection): Promise<void> {
    const { ports } = this.options;
    const { store, callers, authorizer, injector, region, signal } = this.host;
    const { certificate } = this.certified;
    const s3 = { region, certificate, authorizer, port: ports?.s3, faults: injector };
    this.s3Server = await startS3Server(store, callers, s3);
    this.functions = createFunctions(this.host);
    await this.bringUp(this.read(selection));
    const stepFunctions = { region, certificate, port: ports?.stepFunctions };
    this.stepFunctionsServer = await startStepFunctionsServer(this.machines, callers, stepFunctions);
    const lambda = { functions: this.functions, callers, authorizer, injector };
    this.lambdaServer = await startLambdaServer(lambda, { certificate, port: ports?.lambda });
    this.httpApi = new HttpApiServer({
      ...{ machines: this.machines, callers, authorizer, signal, onNotice: this.onNotice },
      certificate,
      port: ports?.http,
    });
    await this.httpApi.serve(started(this.deployed).httpApi);
    const { onNotice } = this;
    this.urls = new FunctionUrls({ ...lambda, onNotice, certificate, port: ports?.functionUrl });
    await this.urls.serve(started(this.deployed).urls);
    // The last one, because its free port must not be one of those above.
    this.otherServices = await startOtherServices({ certificate });
  }

  private read(selection: Selection): Deployment {
    const { options, versions } = this;
    return readDeployment(selection, { ...options, versions, functions: started(this.functions) });
  }

  /** Replaces the state machines last. */
  private async bringUp(deployment: Deployment): Promise<void> {
    const { store, authorizer } = this.host;
    for (const bucket of deployment.buckets) store.createBucket(bucket);
    await publishAssets(deployment.stack, store);
    deployment.replaceFunctions();
    authorizer.update(deployment.policies);
    for (const notice of deployment.notices) this.onNotice(notice);
    deployMachines(this.machines, deployment, started(this.functions), this.host);
    this.deployed = deployment;
    await this.httpApi?.serve(deployment.httpApi);
    await this.urls?.serve(deployment.urls);
  }

  private readonly onNotice = (notice: string): void => {
    this.host.notices.add(notice, notice);
  };
}

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new LocalCloudError('the local cloud is not started: use LocalCloud.start()');
  return part;
}
