/** What is asked of both clouds. The answers are compared. */
import { type S3ClientConfig, S3Client } from '@aws-sdk/client-s3';
import { type SFNClientConfig, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import {
  InferenceError,
  SlicedInferenceClient,
  tensorFrom,
  type InferenceResult,
  type InferOptions,
  type InlineTensor,
} from '../../client';
import { bytesOf } from '../../lambda/tensors/tensor';
import type { LocalCloud } from '../../local';
import { ALIAS } from './app';

interface Settings {
  readonly stepFunctions?: SFNClientConfig;
  readonly s3?: S3ClientConfig;
}

/** A deployed pipeline, as applications reach it. */
export class Deployment {
  readonly stepFunctions: SFNClient;
  readonly model: SlicedInferenceClient;

  /** @param settings of the SDK; by default those of the environment */
  constructor(
    readonly stateMachineArn: string,
    private readonly settings: Settings = {},
  ) {
    const s3 = new S3Client(settings.s3 ?? {});
    const stepFunctions = (this.stepFunctions = new SFNClient(settings.stepFunctions ?? {}));
    this.model = new SlicedInferenceClient({ stateMachineArn, stepFunctions, s3 });
  }

  static local({ pipeline, stepFunctions, s3 }: LocalCloud): Deployment {
    return new Deployment(pipeline.stateMachineArn, { stepFunctions, s3 });
  }

  alias(): Deployment {
    return new Deployment(`${this.stateMachineArn}:${ALIAS}`, this.settings);
  }
}

/** What a cloud answered, without what differs by nature: names of buckets and runs, and times. */
export interface Answer {
  /** `done`, or the name of the error. */
  readonly outcome: string;
  readonly cause?: unknown;
  /** By name: type, shape, and the bytes in hexadecimal. */
  readonly tensors?: Readonly<Record<string, string>>;
  /** What the client reported while the execution ran. */
  readonly progress?: readonly string[];
}

type Ask = (deployment: Deployment) => Promise<Answer>;

/** Step Functions' limit of an input, in bytes: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const MAX_INPUT = 256 * 1024;

/** Number of values in a row of `x` and `y`. */
const WIDTH = 16;

/** So many rows are above 255 KiB as bytes. */
const MANY_ROWS = 5000;

const infers =
  (rows: number, options: InferOptions = {}): Ask =>
  async (deployment) => {
    const progress: string[] = [];
    const onProgress: InferOptions['onProgress'] = ({ event, state = '' }) =>
      progress.push(`${event} ${state}`.trim());
    const data = Float32Array.from(inputRows(rows).data as number[]);
    const x = tensorFrom('float32', [rows, WIDTH], data);
    return {
      ...(await answerOf(deployment, deployment.model.infer({ x }, { ...options, onProgress }))),
      progress,
    };
  };

/** Sends the request as it is, so that the pipeline itself refuses one that is wrong. */
const invokes =
  (request: object): Ask =>
  (deployment) =>
    answerOf(deployment, deployment.model.invoke(request));

/** Sends an input without the client, which would refuse it itself. */
const starts =
  (request: object): Ask =>
  async ({ stateMachineArn, stepFunctions }) => {
    const input = JSON.stringify(request);
    const outcome = await stepFunctions.send(new StartExecutionCommand({ stateMachineArn, input })).then(
      () => 'done',
      (refusal: unknown) => (refusal as Error).name,
    );
    return { outcome };
  };

/** By a statement that the answers confirm if they agree: the outcome that a local cloud must have, so that two clouds cannot agree on nothing. */
export const SCENARIOS: Readonly<Record<string, readonly [outcome: string, ask: Ask]>> = {
  'a small request returns the same bits, inside the output': ['done', infers(2)],
  'a small request returns the same bits, from S3': ['done', infers(2, { results: 's3' })],
  'a large request through S3 returns the same bits, from S3': ['done', infers(MANY_ROWS)],
  'an alias of the state machine runs the same model': ['done', (own) => infers(2)(own.alias())],
  'a wrong shape fails with the same error and cause': [
    'InvalidInput',
    invokes(inline({ ...inputRows(1), shape: [WIDTH] })),
  ],
  'a missing object fails with the same error and cause': [
    'InvalidInput',
    invokes({ version: 1, inputs: { s3: 'inputs/missing.safetensors' } }),
  ],
  'a request above the limit of an event fails with the same error and cause': [
    'InvalidInput',
    invokes(sized(MAX_INPUT - 200)),
  ],
  'an input above the limit of Step Functions is refused with the same error': [
    'ValidationException',
    starts(sized(MAX_INPUT + 1)),
  ],
};

function inline(x: object): object {
  return { version: 1, inputs: { tensors: { x } } };
}

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

async function answerOf({ model }: Deployment, call: Promise<object>): Promise<Answer> {
  try {
    const { outputs = {} } = (await call) as Partial<InferenceResult>;
    const described = Object.entries(outputs).map(([name, { dtype, shape, data }]) => {
      const bytes = dtype === 'string' ? data.join() : Buffer.from(bytesOf(data)).toString('hex');
      return [name, `${dtype}[${shape.join()}] ${bytes}`] as const;
    });
    return { outcome: 'done', tensors: Object.fromEntries(described) };
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
    const { name, cause, message } = error;
    const { bucket } = await model.describe();
    return { outcome: name, cause: withoutNames(typeof cause === 'string' ? cause : message, bucket) };
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
