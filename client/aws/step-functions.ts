/** The requests to Step Functions that a call makes. */
import { isIPv4 } from 'node:net';
import type {
  DescribeExecutionOutput,
  DescribeMapRunOutput,
  DescribeStateMachineOutput,
  HistoryEvent,
  ListExecutionsOutput,
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
    region: string | undefined,
    /** Milliseconds. */
    private readonly requestTimeout: number,
  ) {
    const { AWS_ENDPOINT_URL_SFN, AWS_ENDPOINT_URL } = process.env;
    const disableHostPrefix = isOnThisMachine(AWS_ENDPOINT_URL_SFN ?? AWS_ENDPOINT_URL);
    this.connection = new AwsConnection(
      own,
      loadStepFunctionsSdk,
      (sdk) => new sdk.SFNClient({ ...(region && { region }), disableHostPrefix }),
    );
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
      return await client.send(new sdk.StartSyncExecutionCommand(input), { abortSignal });
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

  /** One page of the executions of a state machine, the latest first. */
  listExecutions(
    stateMachineArn: string,
    nextToken: string | undefined,
    signal?: Signal,
  ): Promise<ListExecutionsOutput> {
    return this.send('ListExecutions', signal, ({ sdk, client }, abortSignal) =>
      client.send(new sdk.ListExecutionsCommand({ stateMachineArn, nextToken }), { abortSignal }),
    );
  }

  /** The latest map run of an execution; `undefined` before it has begun. */
  async mapRun(executionArn: string, signal?: Signal): Promise<DescribeMapRunOutput | undefined> {
    const { mapRuns = [] } = await this.send('ListMapRuns', signal, ({ sdk, client }, abortSignal) =>
      client.send(new sdk.ListMapRunsCommand({ executionArn }), { abortSignal }),
    );
    const mapRunArn = mapRuns.at(0)?.mapRunArn;
    if (mapRunArn === undefined) return undefined;
    return await this.send('DescribeMapRun', signal, ({ sdk, client }, abortSignal) =>
      client.send(new sdk.DescribeMapRunCommand({ mapRunArn }), { abortSignal }),
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

/** `sync-127.0.0.1` and its like do not exist. */
export function isOnThisMachine(endpoint: string | undefined): boolean {
  if (endpoint === undefined || !URL.canParse(endpoint)) return false;
  const host = new URL(endpoint).hostname;
  return isIPv4(host) || host.startsWith('[') || /^(.*\.)?localhost$/.test(host);
}
