/**
 * Reads a digit over HTTP. Signs the request, or sends the token in the environment variable TOKEN.
 *
 *     npx tsx call.ts '..##. .#... #.... ####. #...# #...# .###.'
 */
import {
  decodeInlineTensor,
  parseFailureCause,
  toNestedArray,
  type ExecutionInput,
  type ExecutionOutput,
} from 'cdk-sliced-inference/client';
import { signedHeaders } from './sign';

const { HTTP_ENDPOINT = '', AWS_REGION = 'us-east-1', TOKEN } = process.env;

/** What the HTTP API answers with 200: an execution that ended, and perhaps failed. */
interface Execution {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT';
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

async function run(request: ExecutionInput): Promise<ExecutionOutput> {
  const url = `${HTTP_ENDPOINT}/digits`;
  const body = JSON.stringify(request);
  const headers =
    TOKEN === undefined
      ? await signedHeaders(url, body, AWS_REGION)
      : { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body });
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
  const { status, output, error = '', cause = '' } = (await response.json()) as Execution;
  if (status === 'SUCCEEDED' && output !== undefined) return JSON.parse(output) as ExecutionOutput;
  throw new Error(`${status} ${error}: ${parseFailureCause(cause).message}`);
}

async function main(drawing: string | undefined): Promise<void> {
  if (drawing === undefined)
    throw new Error("no drawing: run npx tsx call.ts '..##. .#... #.... ####. #...# #...# .###.'");
  if (HTTP_ENDPOINT === '')
    throw new Error('HTTP_ENDPOINT is not set: run `. ./cloud.env`, or set it to an output of the stack');
  const data = Array.from(drawing.matchAll(/[#.]/g), ([pixel]) => Number(pixel === '#'));
  const pixels = { dtype: 'float32' as const, shape: [1, data.length], data };
  const { tensors, s3 } = (await run({ version: 1, inputs: { tensors: { pixels } } })).outputs;
  if (tensors === undefined)
    throw new Error(`the results are too large to be inline: read them from ${s3?.key ?? 'S3'}`);
  const [probabilities] = toNestedArray(
    decodeInlineTensor('probabilities', tensors.probabilities),
  ) as number[][];
  const best = Math.max(...probabilities);
  console.log(`${probabilities.indexOf(best)} with a probability of ${best.toFixed(4)}`);
}

main(process.argv.at(2)).catch((error: unknown) => {
  console.error(String(error));
  process.exitCode = 1;
});
