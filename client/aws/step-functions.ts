/** The requests to Step Functions that a call makes. */
import { isIPv4 } from 'node:net';
import type {
  DescribeExecutionOutput,
  DescribeStateMachineOutput,
  HistoryEvent,
  SFNClient,
  StartSyncExecutionOutput,
} from '@aws-sdk/client-sfn';
import { request } from '../run/wait';
import type { AwsClient } from '../options';
import { AwsConnection, loadStepFunctionsSdk, type StepFunctionsSdk } from './sdk';

interface StartInput {
  readonly stateMachineArn: string;
  /** A retry under the same name does not start a Standard execution twice. */
  readonly name: string;
  readonly input: string;
}

type Signal = AbortSignal | undefined;

export class StepFunctions {
  private readonly connection: AwsConnection<StepFunctionsSdk, SFNClient>;

  constructor(
    own: AwsClient | undefined,
    region: string,
    /** Milliseconds. */
    private readonly requestTimeout: number,
  ) {
    this.connection = new AwsConnection(own, loadStepFunctionsSdk, (sdk) => new sdk.SFNClient({ region }));
  }

  describeStateMachine(stateMachineArn: string, signal?: Signal): Promise<DescribeStateMachineOutput> {
    return this.send('DescribeStateMachine', signal, ({ sdk, client }, abortSignal) =>
      client.send(new sdk.DescribeStateMachineCommand({ stateMachineArn }), { abortSignal }),
    );
  }

  /** Resolves when the execution has ended, so only the signal limits its time. */
  async startSyncExecution(input: StartInput, abortSignal: AbortSignal): Promise<StartSyncExecutionOutput> {
    const { sdk, client } = await this.connection.load();
    abortSignal.throwIfAborted();
    try {
      const command = withoutPrefixOnThisMachine(new sdk.StartSyncExecutionCommand(input));
      return await client.send(command, { abortSignal });
    } catch (error) {
      // The SDK rejects with an error of its own.
      abortSignal.throwIfAborted();
      throw error;
    }
  }

  startExecution(
    input: StartInput,
    signal?: Signal,
  ): Promise<{ readonly executionArn?: string | undefined; readonly startDate?: Date | undefined }> {
    return this.send('StartExecution', signal, ({ sdk, client }, abortSignal) =>
      client.send(new sdk.StartExecutionCommand(input), { abortSignal }),
    );
  }

  describeExecution(
    executionArn: string,
    includedData: 'ALL_DATA' | 'METADATA_ONLY',
    signal?: Signal,
  ): Promise<DescribeExecutionOutput> {
    return this.send('DescribeExecution', signal, ({ sdk, client }, abortSignal) =>
      client.send(new sdk.DescribeExecutionCommand({ executionArn, includedData }), { abortSignal }),
    );
  }

  /** One page of the events, the latest first, without data. */
  latestEvents(
    executionArn: string,
    nextToken: string | undefined,
    signal?: Signal,
  ): Promise<{ readonly events?: HistoryEvent[] | undefined; readonly nextToken?: string | undefined }> {
    const input = { executionArn, nextToken, reverseOrder: true, includeExecutionData: false };
    return this.send('GetExecutionHistory', signal, ({ sdk, client }, abortSignal) =>
      client.send(new sdk.GetExecutionHistoryCommand(input), { abortSignal }),
    );
  }

  async stopExecution(executionArn: string, cause: string): Promise<void> {
    const input = { executionArn, error: 'ExecutionAborted', cause };
    await this.send('StopExecution', undefined, ({ sdk, client }, abortSignal) =>
      client.send(new sdk.StopExecutionCommand(input), { abortSignal }),
    );
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  private send<T>(
    name: string,
    signal: Signal,
    work: (
      loaded: { readonly sdk: StepFunctionsSdk; readonly client: SFNClient },
      signal: AbortSignal,
    ) => Promise<T>,
  ): Promise<T> {
    const { connection, requestTimeout: ms } = this;
    return request(name, { signal, ms }, async (ended) => work(await connection.load(), ended));
  }
}

const PREFIX = 'sync-';

/** A valid host that stands for an address of IPv6 until the request is made. */
const STAND_IN = 'localhost';

type Middleware = <A extends { request?: unknown }, R>(
  next: (args: A) => Promise<R>,
  context: { endpointV2?: { url: URL } },
) => (args: A) => Promise<R>;

interface CommandWithMiddleware {
  readonly middlewareStack: {
    add(middleware: Middleware, options: { readonly step: 'build'; readonly name: string }): void;
    addRelativeTo(
      middleware: Middleware,
      options: { readonly relation: 'after'; readonly toMiddleware: string; readonly name: string },
    ): void;
  };
}

/** Takes the prefix away from IP addresses and localhost before the request is signed. Leaves the client as it is. */
export function withoutPrefixOnThisMachine<C extends CommandWithMiddleware>(command: C): C {
  let ipv6: string | undefined;
  command.middlewareStack.addRelativeTo(
    (next, context) => (args) => {
      const { endpointV2 } = context;
      if (endpointV2?.url.hostname.startsWith('[')) {
        ipv6 = endpointV2.url.hostname;
        const url = new URL(endpointV2.url);
        url.hostname = STAND_IN;
        // A copy, because the client may keep its endpoint.
        context.endpointV2 = { ...endpointV2, url };
      }
      return next(args);
    },
    // The SDK's own step that finds the endpoint.
    { relation: 'after', toMiddleware: 'endpointV2Middleware', name: 'slicedInferenceIpv6Host' },
  );
  command.middlewareStack.add(
    (next) => (args) => {
      const { request } = args;
      if (hasHostname(request)) request.hostname = ipv6 ?? plainHost(request.hostname);
      return next(args);
    },
    { step: 'build', name: 'slicedInferenceHostPrefix' },
  );
  return command;
}

export function plainHost(hostname: string): string {
  if (!hostname.startsWith(PREFIX)) return hostname;
  const host = hostname.slice(PREFIX.length);
  return isIPv4(host) || host === 'localhost' || host.endsWith('.localhost') ? host : hostname;
}

function hasHostname(request: unknown): request is { hostname: string } {
  return (
    typeof request === 'object' &&
    request !== null &&
    'hostname' in request &&
    typeof request.hostname === 'string'
  );
}
