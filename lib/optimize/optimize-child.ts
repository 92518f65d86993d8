/**
 * Entry point of a child process: ONNX Runtime loads a whole model, optimizes it and saves the graph that it runs.
 * ONNX Runtime maps the weights; the saved graph has only the weights that the optimizer changes.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { Reader } from 'protobufjs/minimal';
import type { InferenceSession } from 'onnxruntime-node';
import { NODE, WIRE_TYPE, fieldTag } from '../onnx/fields';
import { MIN_EXTERNAL_BYTES } from '../onnx/limits';
import { type OptimizationLevel, ORT_LEVELS } from './level';

/**
 * ONNX Runtime recognizes the casts that it inserted by this prefix of their names. Each time it loads a saved graph,
 * it may drop such a cast together with a neighbor that rounds (`insert_cast_transformer.cc`). Other casts stay.
 */
const INSERTED = Buffer.from('InsertedPrecisionFreeCast_');
const SETTLED = Buffer.from('SettledPrecisionFreeCast__');

const NODE_NAME_TAG = fieldTag(NODE.name, WIRE_TYPE.lengthDelimited);

/** The bit that every byte of a varint has, except the last. */
const VARINT_CONTINUES = 0x80;

const WINDOW_BYTES = 4 * 1024 * 1024;
/** Bytes by which windows overlap: more than a tag, a length and the prefix take. */
const OVERLAP_BYTES = 64 * 1024;

/** Renames the casts in place. Both prefixes have the same length, so no other byte changes. */
export function settleCasts(file: string): void {
  const descriptor = fs.openSync(file, 'r+');
  try {
    const { size } = fs.fstatSync(descriptor);
    const buffer = Buffer.allocUnsafe(WINDOW_BYTES + OVERLAP_BYTES);
    for (let start = 0; start < size; start += WINDOW_BYTES) {
      const length = fs.readSync(descriptor, buffer, 0, buffer.length, start);
      const window = buffer.subarray(0, length);
      for (let at = window.indexOf(INSERTED); at >= 0; at = window.indexOf(INSERTED, at + 1)) {
        if (isNodeName(window, at)) fs.writeSync(descriptor, SETTLED, 0, SETTLED.length, start + at);
      }
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

function isNodeName(window: Buffer, at: number): boolean {
  for (let lengthBytes = 1; lengthBytes <= 3 && at > lengthBytes; lengthBytes++) {
    if (window[at - lengthBytes - 1] !== NODE_NAME_TAG) continue;
    const reader = Reader.create(window.subarray(at - lengthBytes, at));
    const continues = window.subarray(at - lengthBytes, at - 1).every((byte) => byte >= VARINT_CONTINUES);
    if (continues && window[at - 1] < VARINT_CONTINUES && reader.uint32() >= INSERTED.length) return true;
  }
  return false;
}

export interface OptimizeJob {
  /** A model with its weights in files of `weightsFolder`. */
  readonly modelPath: string;
  readonly weightsFolder: string;
  readonly level: OptimizationLevel;
  readonly savedPath: string;
  /** The file for the weights of the saved graph, if they are too large for one protobuf message. */
  readonly savedWeights: string;
}

export interface OptimizeAnswer {
  /** Whether the weights of the saved graph are in `savedWeights` instead of the model's files. */
  readonly ownWeights: boolean;
  /** ONNX Runtime's error when the saved graph does not load again. */
  readonly unloadable?: string;
}

const LOG_FATAL = 4;

/** Optimizes and saves a model, then checks that the saved graph loads. */
export async function saveOptimized(job: OptimizeJob): Promise<OptimizeAnswer | { readonly error: string }> {
  process.env.ORT_DISABLE_TELEMETRY = '1';
  const ort = await import('onnxruntime-node');
  const open = async (
    model: string,
    folder: string,
    options: InferenceSession.SessionOptions,
    config: object = {},
  ): Promise<void> => {
    const session = await ort.InferenceSession.create(fs.readFileSync(model), {
      intraOpNumThreads: 1,
      logSeverityLevel: LOG_FATAL,
      ...options,
      extra: {
        session: {
          disable_prepacking: '1',
          model_external_initializers_file_folder_path: folder,
          ...config,
        },
      },
    });
    await session.release();
  };
  const saving: InferenceSession.SessionOptions = {
    graphOptimizationLevel: ORT_LEVELS[job.level],
    optimizedModelFilePath: job.savedPath,
  };
  let ownWeights = false;
  try {
    await open(job.modelPath, job.weightsFolder, saving);
  } catch (error) {
    // Protobuf files end at 2 GiB. Whether the saved graph stays below depends on the weights that the optimizer changes.
    const { message } = error as Error;
    if (!/protobuf serialization failed|exceed|2 ?GB/i.test(message)) return { error: message };
    fs.rmSync(job.savedPath, { force: true });
    ownWeights = true;
    try {
      await open(job.modelPath, job.weightsFolder, saving, {
        optimized_model_external_initializers_file_name: path.basename(job.savedWeights),
        optimized_model_external_initializers_min_size_in_bytes: String(MIN_EXTERNAL_BYTES),
      });
    } catch (second) {
      return { error: (second as Error).message };
    }
  }
  settleCasts(job.savedPath);
  try {
    const folder = ownWeights ? path.dirname(job.savedPath) : job.weightsFolder;
    await open(job.savedPath, folder, { graphOptimizationLevel: 'disabled' });
  } catch (error) {
    return { ownWeights, unloadable: (error as Error).message };
  }
  return { ownWeights };
}

if (require.main === module) {
  void saveOptimized(JSON.parse(process.argv[2]) as OptimizeJob).then((answer) => {
    process.stdout.write(JSON.stringify(answer));
  });
}
