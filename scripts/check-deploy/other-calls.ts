/** Calls beside those of `infer`: JSON, HTTP APIs, and the functions of consolidation. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { InlineTensor } from '../../client';
import { decodeTensors } from '../../client';
import { postSigned } from '../../examples/ocr/signed-request';
import type { NumericTensor } from '../../lambda/tensors/tensor';
import type { Deployed, OtherCall } from './life';
import { REGION, ROOT_USER } from './ministack';
import { isIdentical, type Machine, type Tensors } from './pipelines';

/** How a state machine takes a request, and returns the output of its pipeline. */
export interface Form {
  readonly wrap: (request: object) => unknown;
  readonly unwrap: (output: never) => unknown;
}

export const PLAIN: Form = { wrap: (request) => request, unwrap: (output) => output };

/** Calls of consolidation are tried so often. A run loads the function of the whole model for later runs. */
const ATTEMPTS = 40;

/** Both clients send JSON to the state machine with this text in its name. */
export function answersWith(name: string, { wrap, unwrap }: Form = PLAIN): OtherCall['ask'] {
  return async ({ machines, questions, callers }) => {
    const [{ inputs, outputs }] = [...questions.values()];
    const { arn } = machineNamed(name, machines);
    for (const caller of callers) {
      const { error, output } = await caller.call({ stateMachineArn: arn, json: wrap(requestOf(inputs)) });
      if (error !== undefined) throw new Error(error);
      mustBeIdentical(outputs, unwrap(output as never));
    }
  };
}

/** A signed request to the HTTP API whose URL is this output of the stack. */
export function answersOverHttp(
  output: string,
  { wrap, unwrap }: Form = PLAIN,
  route = '',
): OtherCall['ask'] {
  return async (deployed) => {
    const [{ inputs, outputs }] = [...deployed.questions.values()];
    const text = await post(deployed, `${deployed.outputs[output]}${route}`, wrap(requestOf(inputs)));
    mustBeIdentical(outputs, unwrap(JSON.parse(text) as never));
  };
}

/** Returns the output of the execution that the HTTP API started. */
export async function post({ cloud: { ministack } }: Deployed, url: string, body: unknown): Promise<string> {
  const signing = { region: REGION, credentials: ROOT_USER, ca: ministack.authority };
  const answer = (await postSigned(reachable(url, ministack.endpoint), body, signing)) as {
    readonly output?: string;
    readonly error?: string;
    readonly cause?: string;
  };
  if (answer.error !== undefined) throw new Error(`${answer.error}: ${answer.cause ?? ''}`);
  return answer.output ?? '';
}

/** MiniStack's name for an HTTP API's host is unknown to most resolvers, so it also takes the id in the path. */
export function reachable(url: string, endpoint: string): string {
  const { hostname, pathname } = new URL(url);
  return `${endpoint}/_aws/execute-api/${hostname.split('.')[0]}/$default${pathname === '/' ? '' : pathname}`;
}

/** The slices serve the first run, and the function of the whole model a later one. */
export async function isServedByBoth({ questions, callers: [caller] }: Deployed): Promise<void> {
  const [[{ arn }, { file, outputs }]] = questions;
  const place = path.join(path.dirname(file), 'outputs');
  let servedBy: string | null | undefined;
  for (let attempt = 0; servedBy !== 'whole'; attempt++) {
    if (attempt === ATTEMPTS)
      throw new Error(`one of ${ATTEMPTS} runs must be served by the whole model, got none`);
    const answer = await caller.call({ stateMachineArn: arn, inputs: file, outputs: place });
    if (answer.error !== undefined) throw new Error(answer.error);
    if (!isIdentical(outputs, decodeTensors(fs.readFileSync(place))))
      throw new Error(`the results of ${answer.servedBy ?? 'none'} differ from those of ONNX Runtime`);
    servedBy = answer.servedBy;
  }
}

export function machineNamed(name: string, machines: readonly Machine[]): Machine {
  const found = machines.find(({ arn }) => arn.split(':').at(-1)?.includes(name) === true);
  if (found === undefined) throw new Error(`the stack must have a state machine ${name}, got none`);
  return found;
}

function requestOf(inputs: Tensors): object {
  const tensors = [...inputs].map(([name, tensor]): [string, InlineTensor] => {
    const { dtype, shape, bytes } = tensor as NumericTensor;
    return [name, { dtype, shape, base64: Buffer.from(bytes).toString('base64') }];
  });
  return { version: 1, inputs: { tensors: Object.fromEntries(tensors) } };
}

function mustBeIdentical(expected: Tensors, output: unknown): void {
  const { tensors = {} } = (output as { outputs: { tensors?: Record<string, InlineTensor> } }).outputs;
  const got = Object.entries(tensors).map(
    ([name, { dtype, shape, base64 = '' }]): [string, NumericTensor] => [
      name,
      { dtype: dtype as NumericTensor['dtype'], shape, bytes: Buffer.from(base64, 'base64') },
    ],
  );
  if (!isIdentical(expected, new Map(got))) throw new Error('the results differ from those of ONNX Runtime');
}
