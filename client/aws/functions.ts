/** The requests to Lambda that a call makes: of a function that has the whole model, and no state machine. */
import type { InvocationResponse, LambdaClient } from '@aws-sdk/client-lambda';
import type { DescribeCall } from '../../contract/direct-call';
import { SIGNATURE_KEY } from '../../contract/signature';
import { CONTRACT_VERSION } from '../../contract/version';
import { kindOf, parsedRecord, quotedName } from '../../lambda/json-values';
import type { Described } from '../description/pipeline-description';
import type { ExecutionEnd } from '../failure-cause';
import type { AwsClient } from '../options';
import { request } from '../run/wait';
import { AwsConnection, type LambdaSdk, loadLambdaSdk } from './sdk';

/** A name, or an ARN, each with or without an alias or a version: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
const NAME = /^(?:arn:[\w-]+:lambda:([\w-]+):\d{12}:function:)?([\w-]{1,64})(?::([\w$-]{1,128}))?$/;

/** The alias that the construct makes. */
const ALIAS = 'live';

export interface FunctionName {
  /** Absent for a name without an ARN: that of the SDK's settings. */
  readonly region: string | undefined;
  /** Without an alias. */
  readonly unqualified: string;
  readonly qualifier: string;
}

export function isFunctionArn(text: string): boolean {
  return /^arn:[\w-]+:lambda:/.test(text);
}

export function parseFunctionName(value: unknown): FunctionName {
  const match = typeof value === 'string' ? NAME.exec(value) : null;
  if (match !== null) {
    const [given, region, , own] = match as [string, string?, string?, string?];
    const unqualified = own === undefined ? given : given.slice(0, -own.length - 1);
    return { region, unqualified, qualifier: own ?? ALIAS };
  }
  const got = typeof value === 'string' ? quotedName(value) : kindOf(value);
  throw new TypeError(
    `option functionName must be the name or the ARN of a function, got ${got}: pass the alias.functionArn of an InferenceFunction`,
  );
}

/** The signature in an answer, in the form in which a state machine states it. */
export function describedBy(answer: string): Described {
  const { signature } = parsedRecord(answer) ?? {};
  const comment = JSON.stringify({ [SIGNATURE_KEY]: signature });
  return { type: 'FUNCTION', definition: JSON.stringify({ Comment: comment }) };
}

export class Functions {
  private readonly connection: AwsConnection<LambdaSdk, LambdaClient>;

  constructor(
    own: AwsClient | undefined,
    private readonly name: FunctionName,
    /** Milliseconds, of the question for the signature. */
    private readonly requestTimeout: number,
  ) {
    const { region } = name;
    this.connection = new AwsConnection(
      own,
      loadLambdaSdk,
      (sdk) => new sdk.LambdaClient({ ...(region && { region }), maxAttempts: 1 }),
    );
  }

  /** Asks for the signature. A failure of the function is a result. */
  ask(signal: AbortSignal): Promise<ExecutionEnd> {
    const question: DescribeCall = { version: CONTRACT_VERSION, describe: true };
    const ms = this.requestTimeout;
    return request('Invoke', { signal, ms }, (ended) => this.invoke(JSON.stringify(question), ended));
  }

  /** Calls the function, which answers when it has computed the result. A failure of the function is a result. */
  async invoke(input: string, abortSignal: AbortSignal): Promise<ExecutionEnd> {
    const { sdk, client } = await this.connection.load();
    abortSignal.throwIfAborted();
    const { unqualified: FunctionName, qualifier: Qualifier } = this.name;
    const command = new sdk.InvokeCommand({ FunctionName, Qualifier, Payload: Buffer.from(input) });
    try {
      return this.endOf(await client.send(command, { abortSignal }));
    } catch (error) {
      // The SDK rejects with an error of its own.
      abortSignal.throwIfAborted();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  private endOf({
    FunctionError: failure,
    Payload: payload,
    $metadata,
  }: InvocationResponse & Metadata): ExecutionEnd {
    // The run is named after the function and the call.
    const executionArn = `${this.name.unqualified}:${$metadata.requestId ?? ''}`;
    const text = Buffer.from(payload ?? []).toString('utf8');
    if (failure === undefined) return { executionArn, status: 'SUCCEEDED', output: text };
    const { errorType } = parsedRecord(text) ?? {};
    const error = typeof errorType === 'string' && errorType !== '' ? errorType : 'Lambda.Unknown';
    return { executionArn, status: 'FAILED', error, cause: text };
  }
}

interface Metadata {
  readonly $metadata: { readonly requestId?: string | undefined };
}
