/** The stack of the check: pipelines that share a bucket, each with batches of other items. */
import * as path from 'node:path';
import type { Stack } from 'aws-cdk-lib';
import {
  BatchItems,
  Consolidation,
  SlicedInferenceBatch,
  SlicedInferencePipeline,
  type SlicedInferencePipelineProps,
  Slicing,
} from '../../lib';
import { MODEL } from '../support/deployed-batch';
import { ARCHITECTURE, synthesize, userFunction } from '../support/deployed-pipeline';
import { ROOT } from '../support/documents';

export const INVENTORY = 'reports/all/2026-11-01T00-00Z/manifest.json';

const TWO_SLICES = { slicing: Slicing.count(2), dimensions: { batch: 1 } };

const CLIENT = `require(${JSON.stringify(path.join(ROOT, 'dist/bundle/client.js'))})`;

/** Of an item it reads the text: a key, the line's `text`, or the cell of the row's column `text`. */
const PREPROCESS = `exports.handler = ${CLIENT}.preprocessHandler((item) => {
  const text = item.text ?? item.key;
  if (text === undefined) throw new TypeError('no text in ' + Object.keys(item));
  if (text.endsWith('bad')) throw new RangeError('cannot read ' + text);
  if (text.endsWith('deadly')) process.exit(7);
  if (text.endsWith('hangs')) return new Promise(() => setInterval(() => undefined, 1000));
  return { x: { shape: [1, 16], data: Float32Array.from({ length: 16 }, (_, at) => at + text.length) } };
});`;

/** Two of its answers do not fit into one state. */
const POSTPROCESS = `exports.handler = ${CLIENT}.postprocessHandler(({ y }) => {
  return { y: Array.from(y.data), long: 'z'.repeat(90000) };
});`;

const BEFORE = `exports.handler = async ({ key }) => {
  if (key.endsWith('bad')) throw new RangeError('cannot read ' + key);
  const data = Array.from({ length: 16 }, (_, at) => at + key.length);
  return { version: 1, inputs: { tensors: { x: { dtype: 'float32', shape: [1, 16], data } } } };
};`;
const AFTER = `exports.handler = async ({ outputs: { tensors: { y } } }) => {
  const bytes = Buffer.from(y.base64, 'base64');
  return { y: Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(4 * at)) };
};`;

/** Returns the folder of the assembly. */
export function synthesizeBatches(): string {
  return synthesize(MODEL, () => TWO_SLICES, { use: addBatches });
}

function addBatches(stack: Stack, plain: SlicedInferencePipeline): void {
  const another = (id: string, props: Partial<SlicedInferencePipelineProps>): SlicedInferencePipeline => {
    const shared = { modelPath: MODEL, architecture: ARCHITECTURE, bucket: plain.bucket };
    return new SlicedInferencePipeline(stack, id, { ...shared, ...TWO_SLICES, ...props });
  };
  const batch = (id: string, pipeline: SlicedInferencePipeline, items: BatchItems, itemsPerRun: number) =>
    new SlicedInferenceBatch(stack, id, { pipeline, items, itemsPerRun, maxConcurrency: 4 });

  batch('Objects', plain, BatchItems.objects('inputs/docs/'), 4);
  batch('Leaving', plain, BatchItems.objects('inputs/leaving/'), 3);
  batch('Singles', plain, BatchItems.objects('inputs/singles/'), 1);
  batch('Lines', plain, BatchItems.jsonLines('inputs/lists/lines.jsonl'), 3);

  const packed = another('Packed', {
    preprocess: userFunction(stack, 'Preprocess', PREPROCESS),
    postprocess: userFunction(stack, 'Postprocess', POSTPROCESS),
  });
  batch('Texts', packed, BatchItems.jsonLines('inputs/lists/texts.jsonl'), 4);
  batch('Elements', packed, BatchItems.jsonArray('inputs/lists/texts.json'), 4);
  batch('Lists', packed, BatchItems.jsonLines('inputs/lists/many/'), 4);
  batch('Columns', packed, BatchItems.parquet('inputs/lists/texts.parquet'), 4);
  batch('Rows', packed, BatchItems.csv('inputs/lists/rows.csv', 'text'), 2);
  batch('Hanging', packed, BatchItems.jsonLines('inputs/lists/hanging.jsonl'), 4);
  batch('Handing', packed, BatchItems.jsonLines('inputs/lists/handing.jsonl'), 3);
  batch('Inventory', packed, BatchItems.inventory(INVENTORY, plain.bucket), 3);

  const wrapped = another('Wrapped', {
    slicing: Slicing.count(1),
    preprocess: userFunction(stack, 'Before', BEFORE),
    postprocess: userFunction(stack, 'After', AFTER),
  });
  batch('Handled', wrapped, BatchItems.objects('inputs/any/'), 1);
  batch('Unpacked', wrapped, BatchItems.objects('inputs/raw/'), 2);

  const answering = another('Answering', {
    slicing: Slicing.count(1),
    preprocess: userFunction(stack, 'Echo', 'exports.handler = async (event) => event;'),
  });
  batch('Answers', answering, BatchItems.objects('inputs/raw/'), 2);

  const consolidated = another('Consolidated', { consolidation: Consolidation.ALWAYS });
  batch('Warm', consolidated, BatchItems.objects('inputs/warm/'), 2);
}
