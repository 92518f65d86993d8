/** Calls beside those of `infer`: JSON, HTTP APIs, consolidation, and the scripts of examples. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { decodeTensors } from '../../client';
import { OUTPUTS_PREFIX } from '../../contract/keys';
import { compareWithWhole } from '../../examples/ocr/compare';
import type { PhotoText } from '../../examples/ocr/functions/read-text';
import { decodePicture } from '../../examples/ocr/picture/decode';
import { postSigned } from '../../examples/ocr/signed-request';
import type { Deployed, OtherCall } from './life';
import { REGION, ROOT_USER } from './cloud';
import { isIdentical, PLAIN, requestOf, tensorsOf, type Form } from './pipelines';
import { ROOT, run } from './processes';

type Ask = OtherCall[1];

/** A run of consolidation loads the function of the whole model for later runs, of which the first may come too early. */
const ATTEMPTS = 40;

const SCRIPT_SECONDS = 300;

const DIFFERENT = 'the results differ from those of ONNX Runtime';

export function answersJson(name: string): Ask {
  return async (deployed) => {
    const [{ inputs, outputs }] = deployed.questions.values();
    await bothAnswer(deployed, name, requestOf(inputs), (output) => isIdentical(outputs, tensorsOf(output)));
  };
}

/** Both clients send the request to the state machine with this text in its name. @param text in the answer */
export function answers(name: string, request: object, text: string): OtherCall {
  const isRight = (output: unknown): boolean => JSON.stringify(output).includes(text);
  return ['other calls', (deployed) => bothAnswer(deployed, name, request, isRight)];
}

/** The request is signed and sent to the HTTP API with this output of the stack. */
export function answersHttp(output: string, { wrap, unwrap }: Form = PLAIN): Ask {
  return async (deployed) => {
    const [{ inputs, outputs }] = deployed.questions.values();
    const answer = await post(deployed, output, wrap(requestOf(inputs)));
    if (!isIdentical(outputs, tensorsOf(unwrap(answer as never)))) throw new Error(DIFFERENT);
  };
}

export const isConsolidated: Ask = async ({ questions, callers: [caller] }) => {
  const [[{ arn }, question]] = questions;
  const outputs = path.join(path.dirname(question.file), 'outputs');
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { servedBy } = await caller.call({ stateMachineArn: arn, inputs: question.file, outputs });
    if (!isIdentical(question.outputs, decodeTensors(fs.readFileSync(outputs)))) throw new Error(DIFFERENT);
    if (servedBy === 'whole') return;
  }
  throw new Error(`one of ${ATTEMPTS} runs must be served by the whole model, got none`);
};

export const readsPhoto: Ask = async (deployed) => {
  const { machines, cloud } = deployed;
  const photo = fs.readFileSync(path.join(ROOT, 'examples/ocr/receipt.jpg'));
  const text = (await post(deployed, 'Url', { photo: photo.toString('base64') })) as PhotoText;
  const comparison = await compareWithWhole(decodePicture(photo), text.runs, {
    read: async ({ run }) => {
      const place = { Bucket: deployed.outputs.Bucket, Key: `${OUTPUTS_PREFIX}${run}.safetensors` };
      const { Body } = await cloud.s3.send(new GetObjectCommand(place));
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    },
    threads: ({ deploymentDigest }) =>
      machines.find(({ pipeline }) => pipeline?.deploymentDigest === deploymentDigest)?.pipeline?.threads ??
      0,
  });
  if (!comparison.isIdentical) throw new Error(DIFFERENT);
};

export function prints(script: string, args: readonly string[], text: string): OtherCall {
  const ask: Ask = async ({ outputs, machines, cloud }) => {
    const { StateMachineArn = machines[0].arn, Bucket = '', HttpEndpoint } = outputs;
    const variables = {
      STATE_MACHINE_ARN: StateMachineArn,
      BUCKET: Bucket,
      ...(HttpEndpoint !== undefined && { HTTP_ENDPOINT: reachable(HttpEndpoint, cloud.endpoint) }),
    };
    const file = path.join(ROOT, 'dist/examples', script);
    const printed = await run(process.execPath, ['--no-warnings', file, ...args], {
      cwd: fs.mkdtempSync(path.join(cloud.folder, 'script-')),
      env: { ...cloud.asRoot(), ...variables },
      seconds: SCRIPT_SECONDS,
    });
    if (!printed.includes(text)) throw new Error(`${script} must print '${text}', got '${printed}'`);
  };
  return ['other calls', ask];
}

async function bothAnswer(
  { machines, callers }: Deployed,
  name: string,
  json: unknown,
  isRight: (output: unknown) => boolean,
): Promise<void> {
  const machine = machines.find(({ arn }) => arn.includes(name));
  if (machine === undefined) throw new Error(`the stack must have a state machine ${name}, got none`);
  for (const caller of callers) {
    const { output } = await caller.call({ stateMachineArn: machine.arn, json });
    if (!isRight(output)) throw new Error(`${DIFFERENT}: ${JSON.stringify(output)}`);
  }
}

async function post({ cloud, outputs }: Deployed, name: string, body: unknown): Promise<unknown> {
  const signing = { region: REGION, credentials: ROOT_USER, ca: cloud.authority };
  const answer = await postSigned(reachable(outputs[name] ?? '', cloud.endpoint), body, signing);
  const { output, error, cause } = answer as Record<string, string | undefined>;
  if (output === undefined || error !== undefined) throw new Error(`${error}: ${cause}`);
  return JSON.parse(output) as unknown;
}

/** MiniStack's name for an HTTP API's host is unknown to most resolvers, so it also takes the id in the path. */
function reachable(url: string, endpoint: string): string {
  const { hostname, pathname } = new URL(url);
  return `${endpoint}/_aws/execute-api/${hostname.split('.')[0]}/$default${pathname === '/' ? '' : pathname}`;
}
