/** The pipelines of a deployed stack, and what ONNX Runtime computes with their whole models. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { DescribeStateMachineCommand, ListStateMachinesCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { candidateInputs } from '../../bin/verify/seeded-inputs';
import { compareTensor } from '../../bin/verify/difference';
import type { PipelineSignature } from '../../contract/signature';
import {
  decodeInlineTensor,
  encodeTensors,
  type ExecutionOutput,
  type InlineTensor,
  type RawTensor,
} from '../../client';
import { Session } from '../../lambda/slice/session';
import type { NumericTensor } from '../../lambda/tensors/tensor';

export type Tensors = ReadonlyMap<string, RawTensor>;

export interface Model {
  readonly path: string;
  readonly dimensions: Readonly<Record<string, number>>;
}

export interface Machine {
  readonly arn: string;
  /** Absent if it is no pipeline. */
  readonly pipeline?: PipelineSignature;
}

export async function machinesOf(stack: string, sfn: SFNClient): Promise<Machine[]> {
  const { stateMachines = [] } = await sfn.send(new ListStateMachinesCommand({ maxResults: 1000 }));
  const arns = stateMachines.flatMap(({ name, stateMachineArn }) =>
    name?.startsWith(`${stack}-`) === true && stateMachineArn !== undefined ? [stateMachineArn] : [],
  );
  return Promise.all(
    arns.sort().map(async (arn) => {
      const { definition = '{}' } = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn: arn }));
      const { Comment = '{}' } = JSON.parse(definition) as { Comment?: string };
      const { slicedInference } = JSON.parse(Comment) as { slicedInference?: PipelineSignature };
      return { arn, ...(slicedInference && { pipeline: slicedInference }) };
    }),
  );
}

/** Whether it takes tensors and returns them, without functions before or after the slices. */
export function infers({ pipeline }: Machine): boolean {
  return pipeline !== undefined && pipeline.preprocess !== true && pipeline.postprocess !== true;
}

export interface Question {
  readonly model: Model;
  readonly inputs: Tensors;
  readonly file: string;
  readonly outputs: Tensors;
}

/** Makes inputs that the whole model accepts, and runs it with them. @param folder for the file */
export async function questionFor(
  model: Model,
  { threads, inputs: specs }: PipelineSignature,
  folder: string,
): Promise<Question> {
  let refusal: unknown;
  const { dimensions } = model;
  const seeds = { specs, dimensions, planned: dimensions, seed: 1 };
  for (const inputs of candidateInputs(seeds)) {
    try {
      const [outputs] = await wholeModel(model.path, threads, [inputs]);
      const file = path.join(fs.mkdtempSync(path.join(folder, 'question-')), 'inputs.safetensors');
      fs.writeFileSync(file, encodeTensors(inputs));
      return { model, inputs, file, outputs };
    } catch (error) {
      // Models do not say which integers and sizes they accept.
      refusal = error;
    }
  }
  throw refusal;
}

/** With the settings of the slices. */
export async function wholeModel(file: string, threads: number, requests: Tensors[]): Promise<Tensors[]> {
  const session = await Session.open({ path: file, threads });
  const outputs = [];
  try {
    for (const inputs of requests) outputs.push(await session.run(inputs, session.outputNames));
    return outputs;
  } finally {
    await session.release();
  }
}

export function isIdentical(expected: Tensors, got: Tensors): boolean {
  return (
    expected.size === got.size &&
    [...expected].every(([name, tensor]) => compareTensor(name, tensor, got.get(name)).identical)
  );
}

export function requestOf(inputs: Tensors): object {
  const tensors = [...inputs].map(([name, tensor]): [string, InlineTensor] => {
    const { dtype, shape, bytes } = tensor as NumericTensor;
    return [name, { dtype, shape, base64: Buffer.from(bytes).toString('base64') }];
  });
  return { version: 1, inputs: { tensors: Object.fromEntries(tensors) } };
}

export function tensorsOf(output: unknown): Tensors {
  const { tensors = {} } = (output as ExecutionOutput).outputs;
  return new Map(Object.entries(tensors).map(([name, tensor]) => [name, decodeInlineTensor(name, tensor)]));
}
