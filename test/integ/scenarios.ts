/** What is asked of both clouds. The answers are compared. */
import { decodeInlineTensor, decodeTensors, encodeTensors, type ExecutionOutput } from '../../client';
import type { Deployment, Outcome } from './deployment';
import { inputRows, WIDTH } from './model';

/** What a cloud answered, without what differs by nature: names of buckets and runs, and times. */
export interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly cause?: unknown;
  /** By name: type, shape, and the bytes in hexadecimal. */
  readonly tensors?: Readonly<Record<string, string>>;
}

export interface Scenario {
  /** A statement that the answers confirm if they agree. */
  readonly claim: string;
  readonly ask: (deployment: Deployment) => Promise<Answer>;
  /** What the answer must be like, so that two clouds cannot agree on nothing. */
  readonly expects: Pick<Answer, 'status' | 'error'>;
}

const KEY = 'inputs/integ.safetensors';

/** Step Functions' limit of an input, in bytes: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const MAX_INPUT = 256 * 1024;

function inline(x: object, more: object = {}): string {
  return JSON.stringify({ version: 1, inputs: { tensors: { x } }, ...more });
}

function fails(claim: string, input: string, error: string): Scenario {
  return {
    claim,
    expects: { status: 'FAILED', error },
    ask: async (deployment) => answerOf(deployment, await deployment.execute(input)),
  };
}

export const REQUESTS: readonly Scenario[] = [
  {
    claim: 'an inline request returns the same bits',
    expects: { status: 'SUCCEEDED' },
    ask: async (deployment) => answerOf(deployment, await deployment.execute(inline(inputRows(2)))),
  },
  {
    claim: 'a request in S3 returns the same bits, in S3',
    expects: { status: 'SUCCEEDED' },
    ask: async (deployment) => {
      await deployment.put(KEY, encodeTensors(new Map([['x', decodeInlineTensor('x', inputRows(300))]])));
      const request = { version: 1, inputs: { s3: KEY }, output: { inline: 'never' } };
      return answerOf(deployment, await deployment.execute(JSON.stringify(request)));
    },
  },
  fails(
    'a wrong shape fails with the same error and cause',
    inline({ ...inputRows(1), shape: [WIDTH] }),
    'InvalidInput',
  ),
  fails(
    'a wrong type fails with the same error and cause',
    inline({ dtype: 'int64', shape: [1, WIDTH], data: new Array(WIDTH).fill(1) }),
    'InvalidInput',
  ),
  fails(
    'a missing object fails with the same error and cause',
    JSON.stringify({ version: 1, inputs: { s3: 'inputs/missing.safetensors' } }),
    'InvalidInput',
  ),
  fails(
    'an unknown field fails with the same error and cause',
    inline(inputRows(1), { other: 1 }),
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
    ask: async (deployment) => answerOf(deployment, await deployment.execute(sized(MAX_INPUT + 1))),
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
function sized(bytes: number): string {
  const empty = inline({ dtype: 'string', shape: [1], data: [''] });
  return inline({ dtype: 'string', shape: [1], data: ['a'.repeat(bytes - empty.length)] });
}

async function answerOf(deployment: Deployment, { status, error, cause, output }: Outcome): Promise<Answer> {
  if (status !== 'SUCCEEDED' || output === undefined) {
    return {
      status,
      ...(error !== undefined && { error }),
      ...(cause !== undefined && { cause: withoutNames(cause, deployment.signature.bucket) }),
    };
  }
  const { outputs } = JSON.parse(output) as ExecutionOutput;
  const file = decodeTensors(await deployment.get(outputs.s3?.key ?? ''));
  const inlineTensors = Object.entries(outputs.tensors ?? {}).map(
    ([name, tensor]) => [`${name} inline`, decodeInlineTensor(name, tensor)] as const,
  );
  const described = [...file, ...inlineTensors].map(([name, tensor]) => {
    const bytes = 'bytes' in tensor ? Buffer.from(tensor.bytes).toString('hex') : tensor.strings.join();
    return [name, `${tensor.dtype}[${tensor.shape.join()}] ${bytes}`] as const;
  });
  return { status, tensors: Object.fromEntries(described) };
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
