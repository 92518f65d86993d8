/**
 * Reads the text in a picture of one line with an OCR model that is cut into slices. It synthesizes the stack of
 * `app.ts`, runs that stack in the local cloud, and compares the result with the unsliced model's.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { timingTable } from '../../bin/timings/timing-table';
import { chromeTrace } from '../../bin/timings/trace-file';
import type { NumericTensor, SliceTiming } from 'cdk-sliced-inference/client';
import { LocalCloud, infer, type TraceEvent } from 'cdk-sliced-inference/local';
import { Session } from '../../lambda/slice/session';
import { readLine } from './read-image';
import { readText } from './read-text';
import { MODEL_PATH, alphabet } from './recognition-model';

const DEFAULT_IMAGE = path.join(__dirname, '../../../examples/ocr/line.png');

interface Reading {
  readonly result: NumericTensor;
  readonly timings: readonly SliceTiming[];
  readonly threads: number;
  readonly events: readonly TraceEvent[];
}

async function main(): Promise<void> {
  const { image, slices, trace } = parseArguments();
  const input = await readLine(image);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-ocr-'));
  try {
    console.log(`Cutting ${path.basename(MODEL_PATH)} into ${slices} and synthesizing the stack ...`);
    const slicedAssembly = path.join(folder, 'sliced');
    synthesize(slicedAssembly, slices);
    console.log(
      'Running the stack on this machine: one process per function, tensors through an S3 endpoint ...',
    );
    const sliced = await runStack(slicedAssembly, input);
    if (trace !== undefined) fs.writeFileSync(trace, chromeTrace(sliced.events, sliced.timings));
    console.log('Running the whole model in one function ...\n');
    const wholeAssembly = path.join(folder, 'whole');
    synthesize(wholeAssembly, 1);
    const whole = await runStack(wholeAssembly, input);
    const unsliced = await runInOnnxRuntime(input, sliced.threads);
    report(image, sliced, whole, unsliced);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function parseArguments(): { image: string; slices: number; trace?: string } {
  const whole = (text: string): number => {
    if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('it must be a whole number above 0.');
    return Number(text);
  };
  return new Command('demo')
    .description('Reads a line of text off a picture with a sliced OCR model.')
    .option('--image <file>', 'picture of one line of text', DEFAULT_IMAGE)
    .addOption(new Option('--slices <n>', 'number of slices').argParser(whole).default(4))
    .option('--trace <file>', 'write a timeline that chrome://tracing and ui.perfetto.dev show')
    .exitOverride((error) => {
      process.exit(error.exitCode === 0 ? 0 : 2);
    })
    .parse()
    .opts();
}

/** Synthesizes the app in a child process, as `cdk synth` does. */
function synthesize(folder: string, slices: number): void {
  const context = { slices, '@aws-cdk/core:validateAgainstDefaultRules': true };
  const app = spawnSync(process.execPath, [path.join(__dirname, 'app.js')], {
    env: { ...process.env, CDK_OUTDIR: folder, CDK_CONTEXT_JSON: JSON.stringify(context) },
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
  });
  if (app.status !== 0) throw new Error(/Error: (.*)/.exec(app.stderr)?.[1] ?? app.stderr);
}

async function runStack(assembly: string, input: NumericTensor): Promise<Reading> {
  const events: TraceEvent[] = [];
  const cloud = await LocalCloud.start(assembly, { onTrace: (event) => events.push(event) });
  try {
    const inference = await infer(cloud, new Map([['x', input]]));
    if (inference.status === 'FAILED') throw new Error(`${inference.error}: ${inference.cause}`);
    const [result] = inference.outputs.values();
    const { timings } = inference.execution;
    const threads = Number(cloud.pipeline.signature.threads);
    return { result: result as NumericTensor, timings, threads, events };
  } finally {
    await cloud.close();
  }
}

async function runInOnnxRuntime(input: NumericTensor, threads: number): Promise<NumericTensor> {
  const session = await Session.open({ path: MODEL_PATH, threads });
  const [result] = (await session.run(new Map([['x', input]]), session.outputNames)).values();
  return result as NumericTensor;
}

function report(image: string, sliced: Reading, whole: Reading, unsliced: NumericTensor): void {
  const { text, confidence } = readText(sliced.result, alphabet());
  const identical = Buffer.compare(sliced.result.bytes, unsliced.bytes) === 0;
  console.log(`picture     ${image}`);
  console.log(`text        ${text}`);
  console.log(
    `confidence  ${(confidence * 100).toFixed(1)} % (mean over ${Array.from(text).length} characters)\n`,
  );
  console.log(
    timingTable([...sliced.timings, ...whole.timings], (index) =>
      index < sliced.timings.length ? String(index) : 'whole model',
    ),
  );
  const count = unsliced.bytes.byteLength / Float32Array.BYTES_PER_ELEMENT;
  const verdict = identical ? 'identical to' : 'DIFFERENT from';
  console.log(
    `\nThe ${count.toLocaleString('en')} values of the sliced output are ${verdict} the unsliced model's in ONNX Runtime.`,
  );
  if (!identical) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 2;
});
