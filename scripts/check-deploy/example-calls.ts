/** How the examples are called beside `infer`: by their own scripts, and with drawings and photos. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { OUTPUTS_PREFIX } from '../../contract/keys';
import { compareWithWhole } from '../../examples/ocr/compare';
import type { PhotoText } from '../../examples/ocr/functions/read-text';
import { decodePicture } from '../../examples/ocr/picture/decode';
import type { Deployed, OtherCall } from './life';
import { asRoot } from './ministack';
import { machineNamed, post, reachable } from './other-calls';
import { wholeModel } from './pipelines';
import { Program } from './processes';
import { ROOT } from './repository';

export const DRAWINGS = {
  6: '..##. .#... #.... ####. #...# #...# .###.',
  4: '...#. ..##. .#.#. #..#. ##### ...#. ...#.',
  2: '.###. #...# ....# ...#. ..#.. .#... #####',
} as const;

const SCRIPT_SECONDS = 300;

interface Script {
  /** Of a compiled example. */
  readonly file: string;
  readonly args?: readonly string[];
  /** A part of what it prints, which the example's README shows too. */
  readonly prints: string;
  /** Outputs of the stack that it reads as variables. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Runs the example's own script with the variables that the README sets. */
export function runs({ file, args = [], prints, variables = {} }: Script): OtherCall {
  const readme = fs.readFileSync(path.join(ROOT, 'examples', path.dirname(file), 'README.md'), 'utf8');
  if (!readme.includes(prints)) throw new Error(`the README of ${file} must show '${prints}'`);
  const ask = async ({ outputs, cloud: { ministack }, machines }: Deployed): Promise<void> => {
    const values = Object.entries(variables).map(([name, output]) => [name, outputs[output]]);
    const env = {
      ...asRoot(ministack),
      STATE_MACHINE_ARN: outputs.StateMachineArn ?? machines[0].arn,
      ...Object.fromEntries(values),
      ...('HttpEndpoint' in outputs && {
        HTTP_ENDPOINT: reachable(outputs.HttpEndpoint, ministack.endpoint),
      }),
    };
    const compiled = path.join(ROOT, 'dist/examples', file);
    const cwd = fs.mkdtempSync(path.join(ministack.environment.TMPDIR ?? '', 'script-'));
    const program = new Program(process.execPath, ['--no-warnings', compiled, ...args], { cwd, env });
    const printed = await program.succeeds(SCRIPT_SECONDS);
    if (!printed.includes(prints)) throw new Error(`${file} must print '${prints}', got '${printed}'`);
  };
  return { column: 'other calls', ask };
}

/** A drawing goes in, and a digit comes out. */
export const READS_DRAWING: OtherCall = {
  column: 'other calls',
  ask: async (deployed) => {
    const { digit, probability } = await readDigit(deployed, DRAWINGS[6]);
    const expected = JSON.stringify({ digit, probability: Number(probability.toFixed(4)) });
    await answersJson(
      deployed,
      '',
      { drawing: DRAWINGS[6] },
      (output) => JSON.stringify(output) === expected,
    );
  },
};

/** Drawings go in, and a number comes out, with a question mark for what is no drawing. */
export const READS_NUMBER: OtherCall = {
  column: 'other calls',
  ask: async (deployed) => {
    const drawings = [DRAWINGS[4], DRAWINGS[2], DRAWINGS[6]];
    const digits = await Promise.all(drawings.map((drawing) => readDigit(deployed, drawing)));
    const expected = `${digits.map(({ digit }) => digit).join('')}?`;
    await answersJson(
      deployed,
      'ReadNumber',
      { drawings: [...drawings, '#'] },
      (output) => (output as { text: string }).text === expected,
    );
  },
};

async function answersJson(
  { machines, callers }: Deployed,
  name: string,
  json: unknown,
  isRight: (output: unknown) => boolean,
): Promise<void> {
  for (const caller of callers) {
    const { error, output } = await caller.call({ stateMachineArn: machineNamed(name, machines).arn, json });
    if (error !== undefined) throw new Error(error);
    if (!isRight(output))
      throw new Error(`the answer differs from that of ONNX Runtime: ${JSON.stringify(output)}`);
  }
}

/** By the whole model. */
async function readDigit(
  { machines }: Deployed,
  drawing: string,
): Promise<{ readonly digit: number; readonly probability: number }> {
  const data = Float32Array.from(drawing.match(/[#.]/g) ?? [], (pixel) => Number(pixel === '#'));
  const pixels = { dtype: 'float32', shape: [1, data.length], bytes: new Uint8Array(data.buffer) } as const;
  const threads = machineNamed('Digits', machines).pipeline?.threads ?? 1;
  const model = path.join(ROOT, 'examples/http/digits.onnx');
  const outputs = await wholeModel(model, threads, new Map([['pixels', pixels]]));
  const tensor = outputs.get('probabilities');
  if (tensor === undefined || tensor.dtype === 'string') throw new Error('the model must return numbers');
  const values = new Float32Array(new Uint8Array(tensor.bytes).buffer);
  const probability = Math.max(...values);
  return { digit: values.indexOf(probability), probability };
}

/** The photo of a receipt goes in over HTTP, and the results of both models are compared. */
export const READS_PHOTO: OtherCall = {
  column: 'HTTP API',
  ask: async (deployed) => {
    const photo = fs.readFileSync(path.join(ROOT, 'examples/ocr/receipt.jpg'));
    const text = await post(deployed, deployed.outputs.Url, { photo: photo.toString('base64') });
    const { runs: reports } = JSON.parse(text) as PhotoText;
    const { isIdentical } = await compareWithWhole(decodePicture(photo), reports, {
      read: async ({ run }) => {
        const place = { Bucket: deployed.outputs.Bucket, Key: `${OUTPUTS_PREFIX}${run}.safetensors` };
        const { Body } = await deployed.cloud.s3.send(new GetObjectCommand(place));
        return (await Body?.transformToByteArray()) ?? new Uint8Array();
      },
      threads: ({ deploymentDigest }) => {
        const made = deployed.machines.find(
          ({ pipeline }) => pipeline?.deploymentDigest === deploymentDigest,
        );
        return made?.pipeline?.threads ?? 0;
      },
    });
    if (!isIdentical) throw new Error('the results differ from those of ONNX Runtime');
  },
};
