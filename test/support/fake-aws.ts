/** A pipeline whose AWS services are functions of the test: they answer, fail or never answer. */
import { Readable } from 'node:stream';
import {
  encodeInlineTensor,
  encodeTensors,
  SlicedInferenceClient,
  tensorFrom,
  type PipelineSignature,
  type SlicedInferenceClientOptions,
} from '../../client';

export const MACHINE = 'arn:aws:states:us-east-1:123456789012:stateMachine:M';
export const EXECUTION = 'arn:aws:states:us-east-1:123456789012:express:M:name:uuid';
/** Of that execution. */
const RUN = 'name/uuid';

type Input = Readonly<Record<string, unknown>>;
/** Answers by the operation's name. A missing operation fails the test's call. */
export type Answers = Readonly<Record<string, (input: Input, signal: AbortSignal) => unknown>>;

export const SIGNATURE: PipelineSignature = {
  version: 1,
  deploymentDigest: 'ab'.repeat(32),
  threads: 1,
  bucket: 'the-bucket',
  inputs: [{ name: 'x', dtype: 'float32', shape: ['n'] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: ['n'] }],
};

/** An error as the SDK makes it of a response. */
export function serviceError(name: string, httpStatusCode = 400, message = 'the reason'): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });
}

export function described(signature: Partial<PipelineSignature> = {}, type = 'EXPRESS') {
  const comment = JSON.stringify({ slicedInference: { ...SIGNATURE, ...signature } });
  return { type, definition: JSON.stringify({ Comment: comment }) };
}

const y = tensorFrom('float32', [1], Float32Array.of(2));

/** @param inline whether the results are in the output, or only in S3 */
export function output(
  inline = true,
  deploymentDigest = SIGNATURE.deploymentDigest,
  bucket = SIGNATURE.bucket,
): string {
  const s3 = { bucket, key: `outputs/${RUN}.safetensors` };
  const outputs = inline ? { s3, tensors: { y: encodeInlineTensor(y) } } : { s3 };
  return JSON.stringify({ version: 1, deploymentDigest, run: RUN, outputs, timings: [] });
}

export const RESULTS = encodeTensors(new Map([['y', y]]));

export function body(bytes: Uint8Array, ContentLength = bytes.byteLength) {
  return { ContentLength, Body: Readable.from([bytes]) };
}

export function succeeded(text = output()) {
  return { executionArn: EXECUTION, status: 'SUCCEEDED', output: text };
}

export function fakeAws(answers: Answers, options: Partial<SlicedInferenceClientOptions> = {}) {
  /** The operations in the order of the calls. */
  const calls: { readonly name: string; readonly input: Input }[] = [];
  const all: Answers = {
    DescribeStateMachine: () => described(),
    ...answers,
    ...('DescribeExecution' in answers && {
      DescribeExecution: async (input, signal) =>
        named(await answers.DescribeExecution(input, signal), input.executionArn as string),
    }),
  };
  const client = {
    async send(
      command: { constructor: { name: string }; input: Input },
      { abortSignal }: { abortSignal: AbortSignal },
    ) {
      const name = command.constructor.name.replace(/Command$/, '');
      calls.push({ name, input: command.input });
      if (!Object.hasOwn(all, name)) throw new Error(`the test has no answer for ${name}`);
      // The SDK rejects with an error of its own when a request is aborted.
      const aborted = new Promise<never>((_resolve, reject) => {
        abortSignal.addEventListener('abort', () => {
          reject(Object.assign(new Error('Request aborted'), { name: 'AbortError' }));
        });
      });
      return await Promise.race([
        Promise.resolve().then(() => all[name](command.input, abortSignal)),
        aborted,
      ]);
    },
  };
  const pollInterval = { first: 1, longest: 2 };
  const own = { stateMachineArn: MACHINE, stepFunctions: client, s3: client, pollInterval };
  const model = new SlicedInferenceClient({ ...own, ...options });
  return {
    model,
    client,
    calls,
    names: () => calls.map(({ name }) => name),
    sent: (wanted: string) => calls.filter(({ name }) => name === wanted).map(({ input }) => input),
  };
}

/** The description of a Standard execution whose output is that of the execution that was asked for. */
function named(description: unknown, executionArn: string): unknown {
  const { output: text } = description as { readonly output?: string };
  if (text === undefined) return description;
  const run = `${executionArn.split(':').slice(-2).join('/')}/1000`;
  return { ...(description as object), output: text.replaceAll(RUN, run) };
}

/** The answers in turn; the last one again and again. An error is thrown. */
export function inTurn(...answers: readonly unknown[]): () => unknown {
  let at = 0;
  return () => {
    const answer = answers[Math.min(at++, answers.length - 1)];
    if (answer instanceof Error) throw answer;
    return answer;
  };
}

/** Never answers. */
export function silence(): Promise<never> {
  return new Promise(() => undefined);
}
