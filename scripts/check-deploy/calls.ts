/** Calls beside those of `infer`: JSON, consolidation and batches. */
import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { candidateInputs } from '../../bin/verify/seeded-inputs';
import { decodeTensors, encodeTensors, type BatchOutput, type BatchRow } from '../../client';
import type { OtherCall } from './life';
import { isIdentical, wholeModel, type Question, type Tensors } from './pipelines';

/** A run of consolidation loads the function of the whole model for later runs, of which the first may come too early. */
const ATTEMPTS = 40;

const DIFFERENT = 'the results differ from those of ONNX Runtime';

/** Both clients send JSON to the state machine with this text in its name. */
export function answers(
  name: string,
  request: (question: Question) => unknown,
  isRight: (output: unknown, question: Question) => boolean,
): OtherCall {
  return async ({ machines, callers, questions }) => {
    const machine = machines.find(({ arn }) => arn.includes(name));
    if (machine === undefined) throw new Error(`the stack must have a state machine ${name}, got none`);
    const [question] = questions.values();
    for (const caller of callers) {
      const { output } = await caller.call({ stateMachineArn: machine.arn, json: request(question) });
      if (!isRight(output, question)) throw new Error(`${DIFFERENT}: ${JSON.stringify(output)}`);
    }
  };
}

export const isConsolidated: OtherCall = async ({ questions, callers: [caller] }) => {
  const [[{ arn }, question]] = questions;
  const outputs = path.join(path.dirname(question.file), 'outputs');
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { servedBy } = await caller.call({ stateMachineArn: arn, inputs: question.file, outputs });
    if (!isIdentical(question.outputs, decodeTensors(fs.readFileSync(outputs)))) throw new Error(DIFFERENT);
    if (servedBy === 'whole') return;
  }
  throw new Error(`one of ${ATTEMPTS} runs must be served by the whole model, got none`);
};

const ITEMS = 200;
/** In four children. */
const BAD_ITEMS = [3, 50, 101, 199];

type BatchAnswer = Pick<BatchOutput, 'items'> & { readonly rows: BatchRow[] };

/** Some of the batch's items are no requests at first. The second execution runs only these. */
export function runsBatch(prefix: string): OtherCall {
  return async ({ machines, questions, cloud, callers: [caller] }) => {
    const [[{ pipeline }, { file, model }]] = questions;
    const stateMachineArn = machines.find(({ arn }) => arn.includes('Batch'))?.arn;
    if (!pipeline || !stateMachineArn) throw new Error('the stack must have a pipeline and a batch');
    const { dimensions } = model;
    const { inputs: specs, threads, bucket: Bucket } = pipeline;
    const keys = Array.from({ length: ITEMS }, (_, at) => `${prefix}${String(at).padStart(3, '0')}`);
    const requests = keys.map((_, seed): Tensors => {
      const [inputs] = candidateInputs({ specs, dimensions, planned: dimensions, seed });
      return inputs;
    });
    const results = await wholeModel(model.path, threads, requests);
    const put = (at: number, Body: Uint8Array) =>
      cloud.s3.send(new PutObjectCommand({ Bucket, Key: keys[at], Body }));
    const outputs = path.join(path.dirname(file), 'batch');
    const run = async (bad: BatchRow['status'], others: BatchRow['status']): Promise<void> => {
      const { output } = await caller.call({ stateMachineArn, isBatch: true, outputs });
      const { rows, items } = output as BatchAnswer;
      const wanted = keys.map((item, at) => ({ item, status: BAD_ITEMS.includes(at) ? bad : others }));
      assert.deepEqual(
        rows.map(({ item, status }) => ({ item, status })),
        wanted,
      );
      const counts = { [bad]: BAD_ITEMS.length, [others]: ITEMS - BAD_ITEMS.length };
      assert.deepEqual(items, { total: ITEMS, done: 0, skipped: 0, failed: 0, ...counts });
      const expected = results.flatMap((own, at) =>
        wanted[at].status === 'done'
          ? [...own].map(([name, tensor]) => [`${at}/${name}`, tensor] as const)
          : [],
      );
      if (!isIdentical(new Map(expected), decodeTensors(fs.readFileSync(outputs))))
        throw new Error(DIFFERENT);
    };
    for (const [at, inputs] of requests.entries())
      await put(at, BAD_ITEMS.includes(at) ? Buffer.from('no request') : encodeTensors(inputs));
    await run('failed', 'done');
    for (const at of BAD_ITEMS) await put(at, encodeTensors(requests[at]));
    await run('done', 'skipped');
  };
}
