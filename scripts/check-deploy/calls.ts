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
import type { NumericTensor } from '../../lambda/tensors/tensor';
import { pixelsOf } from '../../test/support/digits-model';
import type { Deployed, OtherCall } from './life';
import { asRoot, REGION, ROOT_USER } from './ministack';
import { isIdentical, PLAIN, requestOf, tensorsOf, wholeModel, type Form, type Machine } from './pipelines';
import { ROOT, run } from './processes';

type Ask = OtherCall[1];

/** A run of consolidation loads the function of the whole model for later runs, of which the first may come too early. */
const ATTEMPTS = 40;

const SCRIPT_SECONDS = 300;

const DIFFERENT = 'the results differ from those of ONNX Runtime';

export const DRAWINGS = {
  6: '..##. .#... #.... ####. #...# #...# .###.',
  4: '...#. ..##. .#.#. #..#. ##### ...#. ...#.',
  2: '.###. #...# ....# ...#. ..#.. .#... #####',
} as const;

/** Both clients send the request as JSON to the state machine with this text in its name. */
export function answersJson(name: string): Ask {
  return async (deployed) => {
    const [{ inputs, outputs }] = deployed.questions.values();
    await bothAnswer(deployed, name, requestOf(inputs), (output) => isIdentical(outputs, tensorsOf(output)));
  };
}

/** The request is signed and sent to the HTTP API with this output of the stack. */
export function answersHttp(output: string, { wrap, unwrap }: Form = PLAIN): Ask {
  return async (deployed) => {
    const [{ inputs, outputs }] = deployed.questions.values();
    const answer = await post(deployed, deployed.outputs[output], wrap(requestOf(inputs)));
    if (!isIdentical(outputs, tensorsOf(unwrap(answer as never)))) throw new Error(DIFFERENT);
  };
}

/** The function of the whole model serves a later run than the slices. */
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

/** A drawing goes in, and a digit comes out. */
export const readsDrawing: Ask = async (deployed) => {
  const { digit, probability } = await readDigit(deployed, DRAWINGS[6]);
  const expected = JSON.stringify({ digit, probability: Number(probability.toFixed(4)) });
  await bothAnswer(deployed, '', { drawing: DRAWINGS[6] }, (output) => JSON.stringify(output) === expected);
};

/** Drawings go in, and a number comes out, with a question mark for what is no drawing. */
export const readsNumber: Ask = async (deployed) => {
  const drawings = [DRAWINGS[4], DRAWINGS[2], DRAWINGS[6]];
  const digits = await Promise.all(drawings.map((drawing) => readDigit(deployed, drawing)));
  const expected = `${digits.map(({ digit }) => digit).join('')}?`;
  const isRight = (output: unknown): boolean => (output as { text: string }).text === expected;
  await bothAnswer(deployed, 'ReadNumber', { drawings: [...drawings, '#'] }, isRight);
};

/** The photo of a receipt goes in over HTTP, and the results of both models are compared. */
export const readsPhoto: Ask = async (deployed) => {
  const { outputs, machines, cloud } = deployed;
  const photo = fs.readFileSync(path.join(ROOT, 'examples/ocr/receipt.jpg'));
  const text = (await post(deployed, outputs.Url, { photo: photo.toString('base64') })) as PhotoText;
  const comparison = await compareWithWhole(decodePicture(photo), text.runs, {
    read: async ({ run }) => {
      const place = { Bucket: outputs.Bucket, Key: `${OUTPUTS_PREFIX}${run}.safetensors` };
      const { Body } = await cloud.ministack.s3.send(new GetObjectCommand(place));
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    },
    threads: ({ deploymentDigest }) =>
      machines.find(({ pipeline }) => pipeline?.deploymentDigest === deploymentDigest)?.pipeline?.threads ??
      0,
  });
  if (!comparison.isIdentical) throw new Error(DIFFERENT);
};

/** An example's own script, with the outputs of the stack as the variables that it reads. */
export function prints(script: string, args: readonly string[], text: string): OtherCall {
  const ask: Ask = async ({ outputs, machines, cloud: { ministack } }) => {
    const {
      StateMachineArn = machines[0].arn,
      Bucket = '',
      HttpEndpoint,
    } = outputs as Record<string, string | undefined>;
    const variables = {
      STATE_MACHINE_ARN: StateMachineArn,
      BUCKET: Bucket,
      ...(HttpEndpoint !== undefined && { HTTP_ENDPOINT: reachable(HttpEndpoint, ministack.endpoint) }),
    };
    const printed = await run(
      process.execPath,
      ['--no-warnings', path.join(ROOT, 'dist/examples', script), ...args],
      {
        cwd: fs.mkdtempSync(path.join(ministack.folder, 'script-')),
        env: { ...asRoot(ministack), ...variables },
        seconds: SCRIPT_SECONDS,
      },
    );
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
  const { arn } = machineNamed(name, machines);
  for (const caller of callers) {
    const { output } = await caller.call({ stateMachineArn: arn, json });
    if (!isRight(output)) throw new Error(`${DIFFERENT}: ${JSON.stringify(output)}`);
  }
}

/** By the whole model. */
async function readDigit(
  { machines }: Deployed,
  drawing: string,
): Promise<{ digit: number; probability: number }> {
  const data = Float32Array.from(pixelsOf(drawing));
  const pixels = { dtype: 'float32', shape: [1, data.length], bytes: new Uint8Array(data.buffer) } as const;
  const threads = machineNamed('Digits', machines).pipeline?.threads ?? 1;
  const model = path.join(ROOT, 'examples/http/digits.onnx');
  const outputs = await wholeModel(model, threads, new Map([['pixels', pixels]]));
  const [{ bytes }] = outputs.values() as Iterable<NumericTensor>;
  const values = new Float32Array(Uint8Array.from(bytes).buffer);
  const probability = Math.max(...values);
  return { digit: values.indexOf(probability), probability };
}

function machineNamed(name: string, machines: readonly Machine[]): Machine {
  const found = machines.find(({ arn }) => arn.includes(name));
  if (found === undefined) throw new Error(`the stack must have a state machine ${name}, got none`);
  return found;
}

/** Returns the output of the execution that the HTTP API started. */
async function post({ cloud: { ministack } }: Deployed, url: string, body: unknown): Promise<unknown> {
  const signing = { region: REGION, credentials: ROOT_USER, ca: ministack.authority };
  const answer = await postSigned(reachable(url, ministack.endpoint), body, signing);
  const { output, error, cause } = answer as Record<string, string | undefined>;
  if (output === undefined || error !== undefined) throw new Error(`${error}: ${cause}`);
  return JSON.parse(output) as unknown;
}

/** MiniStack's name for an HTTP API's host is unknown to most resolvers, so it also takes the id in the path. */
function reachable(url: string, endpoint: string): string {
  const { hostname, pathname } = new URL(url);
  return `${endpoint}/_aws/execute-api/${hostname.split('.')[0]}/$default${pathname === '/' ? '' : pathname}`;
}
