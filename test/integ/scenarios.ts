/** What is asked of both clouds. The answers are compared. */
import { tensorFrom, type InferenceProgress, type InferenceResult, type InferOptions } from '../../client';
import { bytesOf } from '../../lambda/tensors/tensor';
import { ALIAS } from './app';
import type { Deployment, Outcome } from './deployment';
import { inputRows, WIDTH } from './model';

/** What a cloud answered, without what differs by nature: names of buckets and runs, and times. */
export interface Answer {
  /** That of the execution, or `REFUSED` if none was started. */
  readonly status: string;
  readonly error?: string;
  readonly cause?: unknown;
  /** By name: type, shape, and the bytes in hexadecimal. */
  readonly tensors?: Readonly<Record<string, string>>;
  /** What the client reported while the execution ran. */
  readonly progress?: readonly string[];
}

export interface Scenario {
  /** A statement that the answers confirm if they agree. */
  readonly claim: string;
  readonly ask: (deployment: Deployment) => Promise<Answer>;
  /** What the answer must be like, so that two clouds cannot agree on nothing. */
  readonly expects: Pick<Answer, 'status' | 'error'>;
}

/** Step Functions' limit of an input, in bytes: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const MAX_INPUT = 256 * 1024;

/** So many rows are above 255 KiB as bytes. */
const MANY_ROWS = 5000;

function inline(x: object): object {
  return { version: 1, inputs: { tensors: { x } } };
}

function succeeds(claim: string, rows: number, options: InferOptions = {}): Scenario {
  return {
    claim,
    expects: { status: 'SUCCEEDED' },
    ask: async (deployment) => answerOf(deployment, await infer(deployment, rows, options)),
  };
}

function fails(claim: string, request: object, error: string): Scenario {
  return {
    claim,
    expects: { status: 'FAILED', error },
    ask: async (deployment) => answerOf(deployment, await deployment.invoke(request)),
  };
}

export const REQUESTS: readonly Scenario[] = [
  succeeds('a small request returns the same bits, inside the output', 2),
  succeeds('a small request returns the same bits, from S3', 2, { results: 's3' }),
  succeeds('a large request through S3 returns the same bits, from S3', MANY_ROWS),
  {
    claim: 'an alias of the state machine runs the same model',
    expects: { status: 'SUCCEEDED' },
    ask: async (deployment) => {
      const alias = await deployment.through(ALIAS);
      return answerOf(alias, await infer(alias, 2));
    },
  },
  {
    claim: 'the client reports the same states in the same order',
    expects: { status: 'SUCCEEDED' },
    ask: async (deployment) => {
      const progress: string[] = [];
      const onProgress = ({ event, state = '' }: InferenceProgress) =>
        progress.push(`${event} ${state}`.trim());
      return { ...answerOf(deployment, await infer(deployment, 1, { onProgress })), progress };
    },
  },
  fails(
    'a wrong shape fails with the same error and cause',
    inline({ ...inputRows(1), shape: [WIDTH] }),
    'InvalidInput',
  ),
  fails(
    'a missing object fails with the same error and cause',
    { version: 1, inputs: { s3: 'inputs/missing.safetensors' } },
    'InvalidInput',
  ),
  fails(
    'a request above the limit of an event fails with the same error and cause',
    sized(MAX_INPUT - 200),
    'InvalidInput',
  ),
  {
    claim: 'an input above the limit of Step Functions is refused with the same error',
    expects: { status: 'REFUSED' },
    ask: async (deployment) => {
      const error = await deployment.refusal(JSON.stringify(sized(MAX_INPUT + 1)));
      return { status: 'REFUSED', error };
    },
  },
];

export const DENIED: readonly Scenario[] = [
  fails(
    'a slice without the permission to write fails with the same error and cause',
    inline(inputRows(1)),
    'SliceFailed',
  ),
];

/** A request of so many bytes. */
function sized(bytes: number): object {
  const empty = JSON.stringify(inline({ dtype: 'string', shape: [1], data: [''] }));
  return inline({ dtype: 'string', shape: [1], data: ['a'.repeat(bytes - empty.length)] });
}

function infer(
  deployment: Deployment,
  rows: number,
  options: InferOptions = {},
): Promise<Outcome<InferenceResult>> {
  const x = tensorFrom('float32', [rows, WIDTH], Float32Array.from(inputRows(rows).data as number[]));
  return deployment.infer({ x }, options);
}

function answerOf({ description }: Deployment, outcome: Outcome<unknown>): Answer {
  if ('error' in outcome) {
    const { name: error, executionArn, cause, message } = outcome.error;
    const text = typeof cause === 'string' ? cause : message;
    const status = executionArn === undefined ? 'REFUSED' : 'FAILED';
    return { status, error, cause: withoutNames(text, description.bucket) };
  }
  const { outputs = {} } = outcome.result as Partial<InferenceResult>;
  const described = Object.entries(outputs).map(([name, { dtype, shape, data }]) => {
    const bytes = dtype === 'string' ? data.join() : Buffer.from(bytesOf(data)).toString('hex');
    return [name, `${dtype}[${shape.join()}] ${bytes}`] as const;
  });
  return { status: 'SUCCEEDED', tensors: Object.fromEntries(described) };
}

/** The cause as JSON if it is, without the names of the bucket, of runs and of calls. */
function withoutNames(cause: string, bucket: string): unknown {
  const text = cause
    .replaceAll(bucket, '<bucket>')
    .replaceAll(/runs\/[^\s"]+\/slice-/g, 'runs/<run>/slice-')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // A sandbox that ended has a cause of plain text.
    return text;
  }
}
