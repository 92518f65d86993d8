/** Calls beside those of `infer`: JSON, and consolidation. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { decodeTensors } from '../../client';
import type { OtherCall } from './life';
import { isIdentical, type Question } from './pipelines';

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
