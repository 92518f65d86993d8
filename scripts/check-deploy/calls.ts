/** Calls beside those of `infer`: JSON, an HTTP API, consolidation, and the scripts of examples. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { decodeTensors } from '../../client';
import { postSigned } from '../../examples/ocr/signed-request';
import type { OtherCall } from './life';
import { REGION, ROOT_USER } from './cloud';
import { isIdentical, type Question } from './pipelines';
import { ROOT, run } from './processes';

/** A run of consolidation loads the function of the whole model for later runs, of which the first may come too early. */
const ATTEMPTS = 40;

const SCRIPT_SECONDS = 300;

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

export const readsPhoto: OtherCall = async ({ cloud, outputs }) => {
  const photo = fs.readFileSync(path.join(ROOT, 'examples/ocr/receipt.jpg')).toString('base64');
  const signing = { region: REGION, credentials: ROOT_USER, ca: cloud.authority };
  const answer = await postSigned(reachable(outputs.Url ?? '', cloud.endpoint), { photo }, signing);
  if (!JSON.stringify(answer).includes('Total amount 7.40'))
    throw new Error(`the text of the receipt must be read, got ${JSON.stringify(answer)}`);
};

export function prints(script: string, args: readonly string[], text: string): OtherCall {
  return async ({ outputs, machines, cloud }) => {
    const { StateMachineArn = machines[0].arn, Bucket = '', HttpEndpoint } = outputs;
    const variables = {
      STATE_MACHINE_ARN: StateMachineArn,
      BUCKET: Bucket,
      ...(HttpEndpoint !== undefined && { HTTP_ENDPOINT: reachable(HttpEndpoint, cloud.endpoint) }),
    };
    const file = path.join(ROOT, 'dist/examples', script);
    const printed = await run(process.execPath, ['--no-warnings', file, ...args], {
      cwd: fs.mkdtempSync(path.join(cloud.folder, 'script-')),
      env: { ...cloud.asRole(undefined), ...variables },
      seconds: SCRIPT_SECONDS,
    });
    if (!printed.includes(text)) throw new Error(`${script} must print '${text}', got '${printed}'`);
  };
}

/** MiniStack's name for an HTTP API's host is unknown to most resolvers, so it also takes the id in the path. */
function reachable(url: string, endpoint: string): string {
  const { hostname, pathname } = new URL(url);
  return `${endpoint}/_aws/execute-api/${hostname.split('.')[0]}/$default${pathname === '/' ? '' : pathname}`;
}
