/**
 * Reads the text in a photo. It synthesizes the stack of `app.ts`, deploys it in the local cloud, runs its state machine on the photo and
 * compares the results of both models with those of the unsliced models.
 */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { OUTPUTS_PREFIX, SlicedInferenceClient } from 'cdk-sliced-inference/client';
import { LocalCloud } from 'cdk-sliced-inference/local';
import { compareWithWhole } from './compare';
import { MAX_BASE64, MAX_PHOTO_BYTES, PHOTOS_PREFIX } from './functions/photo-limits';
import type { PhotoText } from './functions/read-text';
import { decodePicture } from './picture/decode';
import { sliceTable, textTable } from './report';

/** With a twentieth of a processor, the demo takes two minutes. */
const MAX_WAIT_MS = 10 * 60_000;

const USAGE = `usage: demo [--photo receipt.jpg] [--slices 4]
  --photo   a JPEG or a PNG of at most 20 MiB and 50 million pixels
  --slices  number of slices of the recognition model`;

async function main(): Promise<void> {
  // The SDK warns of an old Node.js.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const { photo, slices } = readArguments();
  const bytes = readPhoto(photo);
  const picture = decodePicture(bytes);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sliced-ocr-'));
  let cloud: LocalCloud | undefined;
  try {
    console.log('Cutting both models and synthesizing the stack ...');
    synthesize(folder, slices);
    console.log('Deploying the stack on this machine and reading the photo ...\n');
    cloud = await LocalCloud.start(folder, { pipeline: 'ReadPhoto' });
    const started = Date.now();
    const { lines, runs } = await read(cloud, bytes);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    const { values, isIdentical } = await compareWithWhole(picture, runs, resultsIn(cloud));
    console.log(`${textTable(lines)}\n\n${sliceTable(runs)}\n`);
    const verdict = isIdentical ? 'identical to' : 'DIFFERENT from';
    console.log(
      `Read in ${seconds} s. The ${values.toLocaleString('en')} values of both sliced models are ${verdict} the unsliced models' in ONNX Runtime.`,
    );
    if (!isIdentical) process.exitCode = 1;
  } finally {
    await cloud?.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function readArguments(): { readonly photo: string; readonly slices: number } {
  const { values } = parseArgs({
    options: { photo: { type: 'string' }, slices: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    console.log(USAGE);
    process.exit(0);
  }
  const { photo = defaultPhoto(), slices = '4' } = values;
  if (!/^[1-9]\d*$/.test(slices)) {
    throw new Error(`--slices must be a whole number above 0, got '${slices}': correct it`);
  }
  return { photo, slices: Number(slices) };
}

/** The compiled demo is in another folder than the photo. */
function defaultPhoto(): string {
  const beside = path.join(__dirname, 'receipt.jpg');
  return fs.existsSync(beside) ? beside : path.join(__dirname, '../../../examples/ocr/receipt.jpg');
}

function readPhoto(file: string): Buffer {
  const size = fs.statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new Error(`the photo '${file}' must be a file, got none: correct --photo`);
  if (size <= MAX_PHOTO_BYTES) return fs.readFileSync(file);
  throw new Error(
    `the photo '${file}' must have at most ${MAX_PHOTO_BYTES} bytes, got ${size}: make it smaller`,
  );
}

/** Synthesizes the app in a child process, as `cdk synth` does. */
function synthesize(folder: string, recognition: number): void {
  const context = { recognition, '@aws-cdk/core:validateAgainstDefaultRules': true };
  const script = path.join(__dirname, `app${path.extname(__filename)}`);
  const app = spawnSync(process.execPath, [...process.execArgv, script], {
    env: { ...process.env, CDK_OUTDIR: folder, CDK_CONTEXT_JSON: JSON.stringify(context) },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (app.status !== 0) throw new Error(/Error: (.*)/.exec(app.stderr)?.[1] ?? app.stderr);
}

async function read(cloud: LocalCloud, photo: Buffer): Promise<PhotoText> {
  const model = new SlicedInferenceClient({
    stateMachineArn: cloud.stateMachine.stateMachineArn,
    stepFunctions: new SFNClient(cloud.stepFunctions),
  });
  return (await model.invoke(await requestFor(cloud, photo), { waitTimeout: MAX_WAIT_MS }))
    .output as PhotoText;
}

/** The photo itself if the request has room for it, otherwise the key of an object that holds it. */
async function requestFor(cloud: LocalCloud, photo: Buffer): Promise<Readonly<Record<string, string>>> {
  const base64 = photo.toString('base64');
  if (base64.length <= MAX_BASE64) return { photo: base64 };
  const key = `${PHOTOS_PREFIX}${randomUUID()}`;
  const client = new S3Client(cloud.s3);
  await client.send(new PutObjectCommand({ Bucket: bucketOf(cloud), Key: key, Body: photo }));
  return { s3: key };
}

/** Both pipelines have the same. */
function bucketOf(cloud: LocalCloud): string {
  return cloud.pipelines[0].bucket;
}

function resultsIn(cloud: LocalCloud): Parameters<typeof compareWithWhole>[2] {
  const client = new S3Client(cloud.s3);
  return {
    read: async ({ run }) => {
      const key = `${OUTPUTS_PREFIX}${run}.safetensors`;
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucketOf(cloud), Key: key }));
      if (Body === undefined) throw new Error(`there is no object ${key}`);
      return Body.transformToByteArray();
    },
    threads: ({ deploymentDigest }) => {
      const made = cloud.pipelines.find(({ signature }) => signature.deploymentDigest === deploymentDigest);
      if (made === undefined) throw new Error('the result is not that of a pipeline of the stack');
      return Number(made.signature.threads);
    },
  };
}

main().catch((error: unknown) => {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 2;
});
