/** What is asked of both clouds. The answers are compared. */
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import {
  InferenceError,
  tensorFrom,
  type InferenceProgress,
  type InferenceResult,
  type InferOptions,
  type InlineTensor,
} from '../../client';
import { bytesOf } from '../../lambda/tensors/tensor';
import { ALIAS } from './app';
import { reach, type Deployment } from './deployment';

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

/** Number of values in a row of `x` and `y`. */
const WIDTH = 16;

/** So many rows are above 255 KiB as bytes. */
const MANY_ROWS = 5000;

function inline(x: object): object {
  return { version: 1, inputs: { tensors: { x } } };
}

function succeeds(claim: string, rows: number, options: InferOptions = {}): Scenario {
  return {
    claim,
    expects: { status: 'SUCCEEDED' },
    ask: (deployment) => answerOf(deployment, infer(deployment, rows, options)),
  };
}

function fails(claim: string, request: object, error: string): Scenario {
  return {
    claim,
    expects: { status: 'FAILED', error },
    // As it is, so that the pipeline itself refuses a request that is wrong.
    ask: (deployment) => answerOf(deployment, deployment.model.invoke(request)),
  };
}

export const REQUESTS: readonly Scenario[] = [
  succeeds('a small request returns the same bits, inside the output', 2),
  succeeds('a small request returns the same bits, from S3', 2, { results: 's3' }),
  succeeds('a large request through S3 returns the same bits, from S3', MANY_ROWS),
  {
    ...succeeds('an alias of the state machine runs the same model', 2),
    ask: async ({ access }) => {
      const alias = await reach({ ...access, stateMachineArn: `${access.stateMachineArn}:${ALIAS}` });
      return answerOf(alias, infer(alias, 2));
    },
  },
  {
    ...succeeds('the client reports the same states in the same order', 1),
    ask: async (deployment) => {
      const progress: string[] = [];
      const onProgress = ({ event, state = '' }: InferenceProgress) =>
        progress.push(`${event} ${state}`.trim());
      return { ...(await answerOf(deployment, infer(deployment, 1, { onProgress }))), progress };
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
    // Without the client, which would refuse this input itself.
    ask: async ({ access: { stateMachineArn }, stepFunctions }) => {
      const input = JSON.stringify(sized(MAX_INPUT + 1));
      const error = await stepFunctions.send(new StartExecutionCommand({ stateMachineArn, input })).then(
        () => 'none',
        (refusal: unknown) => (refusal as Error).name,
      );
      return { status: 'REFUSED', error };
    },
  },
];

/** A request of so many bytes. */
function sized(bytes: number): object {
  const empty = JSON.stringify(inline({ dtype: 'string', shape: [1], data: [''] }));
  return inline({ dtype: 'string', shape: [1], data: ['a'.repeat(bytes - empty.length)] });
}

/** An input `x`. */
function inputRows(rows: number): InlineTensor {
  const data = Array.from({ length: rows * WIDTH }, (_, index) => Math.fround(Math.cos(index)));
  return { dtype: 'float32', shape: [rows, WIDTH], data };
}

function infer({ model }: Deployment, rows: number, options: InferOptions = {}): Promise<InferenceResult> {
  const x = tensorFrom('float32', [rows, WIDTH], Float32Array.from(inputRows(rows).data as number[]));
  return model.infer({ x }, options);
}

/** Rejects only for what is no failure of a call, such as a wait that is too long: `endOf` makes a finding of it. */
async function answerOf({ description }: Deployment, call: Promise<object>): Promise<Answer> {
  try {
    const { outputs = {} } = (await call) as Partial<InferenceResult>;
    const described = Object.entries(outputs).map(([name, { dtype, shape, data }]) => {
      const bytes = dtype === 'string' ? data.join() : Buffer.from(bytesOf(data)).toString('hex');
      return [name, `${dtype}[${shape.join()}] ${bytes}`] as const;
    });
    return { status: 'SUCCEEDED', tensors: Object.fromEntries(described) };
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
    const { name, executionArn, cause, message } = error;
    const text = typeof cause === 'string' ? cause : message;
    const status = executionArn === undefined ? 'REFUSED' : 'FAILED';
    return { status, error: name, cause: withoutNames(text, description.bucket) };
  }
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
