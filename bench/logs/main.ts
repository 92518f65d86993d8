/**
 * `npm run bench:logs`: counts the bytes that a call writes to CloudWatch Logs. The lines of the handler and `REPORT` come from functions in the
 * local cloud. The other lines of Lambda have the form that AWS documents. A sampled X-Ray trace adds 90 bytes to `REPORT`, which are not counted.
 */
import * as path from 'node:path';
import { Command } from 'commander';
import { encodeTensors } from '../../client';
import type { PipelineSignature } from '../../contract/signature';
import { LocalCloud } from '../../local';
import { describeMachine, folderOption, inOwnFolder, numberOption, print } from '../harness';
import { inputsOf, ocrModel } from '../inputs';
import { formatSpread, formatTable } from '../measure';
import { sliceModel, synthesize } from '../synthesize';

interface Options {
  readonly rounds: number;
  readonly slices: number;
  readonly folder: string;
}

/** What CloudWatch adds to each event. https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html */
const EVENT_BYTES = 26;

const UUID = '0'.repeat(36);

// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
const START = `START RequestId: ${UUID} Version: 12\n`;
const END = `END RequestId: ${UUID}\n`;
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html
const INIT_START = `INIT_START Runtime Version: nodejs:24.v12\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:${'0'.repeat(64)}\n`;

/** Bytes of the lines of a call. */
interface Call {
  readonly kind: string;
  readonly line: number;
  /** `START`, `END` and `REPORT`, and `INIT_START` of a new sandbox. */
  readonly lambda: number;
}

function eventBytes(line: string): number {
  return Buffer.byteLength(line) + EVENT_BYTES;
}

/** The lines of one function: of each call the line of the handler, and then `REPORT`. */
function callsOf(text: string): Call[] {
  const calls: Call[] = [];
  let line = '';
  for (const own of text.split('\n')) {
    if (own.startsWith('{')) line = own;
    if (!own.startsWith('REPORT ')) continue;
    const { message } = JSON.parse(line) as { readonly message: string };
    const isNew = own.includes('Init Duration');
    calls.push({
      kind: `${message}, ${isNew ? 'new' : 'warm'} sandbox`,
      line: eventBytes(`${line}\n`),
      // Lambda's line ends with a tab.
      lambda: [START, END, `${own}\t\n`, ...(isNew ? [INIT_START] : [])]
        .map(eventBytes)
        .reduce((sum, bytes) => sum + bytes, 0),
    });
  }
  return calls;
}

async function main(folder: string, { rounds, slices }: Options): Promise<void> {
  print(
    `${describeMachine()}; medians (lowest-highest) of the calls of ${rounds} cold and ${rounds} warm runs`,
  );
  const model = ocrModel('classification', 'ch_ppocr_mobile_v2.0_cls_infer.onnx', 48, 192);
  const [out, outdir] = [path.join(folder, 'slices'), path.join(folder, 'assembly')];
  sliceModel(model, slices, out);
  synthesize({ outdir, slices: out, warmUp: true });
  const cloud = await LocalCloud.start(outdir);
  try {
    const { inputs } = cloud.pipeline.signature as unknown as PipelineSignature;
    await cloud.putObject('inputs/bench', encodeTensors(inputsOf(model, inputs)));
    for (let round = 0; round < rounds; round++) {
      await cloud.endIdleSandboxes();
      for (let run = 0; run < 2; run++) {
        const result = await cloud.execute({ version: 1, inputs: { s3: 'inputs/bench' } });
        if (result.status !== 'SUCCEEDED') throw new Error(`${result.error}: ${result.cause}`);
      }
    }
    print(tableOf([...cloud.logs().values()].flatMap(callsOf)));
  } finally {
    await cloud.close();
  }
}

function tableOf(calls: readonly Call[]): string {
  const kinds = [...new Set(calls.map(({ kind }) => kind))].sort();
  return formatTable(
    ['call', 'calls', 'line of the handler, bytes', "Lambda's lines, bytes"],
    kinds.map((kind) => {
      const own = calls.filter((call) => call.kind === kind);
      const bytes = [own.map(({ line }) => line), own.map(({ lambda }) => lambda)];
      return [kind, own.length, ...bytes.map((samples) => formatSpread(samples, 0))];
    }),
  );
}

new Command('bench:logs')
  .description('Counts the bytes of log lines. Takes half a minute.')
  .addOption(numberOption('--rounds <n>', 'number of rounds', 5))
  .addOption(numberOption('--slices <n>', 'number of slices', 3))
  .addOption(folderOption())
  .action((options: Options) => inOwnFolder(options.folder, 'bench-logs', (folder) => main(folder, options)))
  .parse();
