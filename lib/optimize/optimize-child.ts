/**
 * Entry point of a child process: ONNX Runtime loads a whole model, optimizes it and saves the graph that it runs.
 * ONNX Runtime maps the weights; the saved graph has only the weights that the optimizer changes.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { MIN_EXTERNAL_BYTES } from '../onnx/limits';
import { type OptimizationLevel, ORT_LEVELS } from './level';
import { settleCasts } from './settle-casts';

export interface OptimizeJob {
  /** A model with its weights in files of `weightsFolder`. */
  readonly modelPath: string;
  readonly weightsFolder: string;
  readonly level: OptimizationLevel;
  /** The file to save the graph in. */
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
    if (!isTooLarge(error)) return { error: (error as Error).message };
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

function isTooLarge(error: unknown): boolean {
  return /protobuf serialization failed|exceed|2 ?GB/i.test((error as Error).message);
}

if (require.main === module) {
  void saveOptimized(JSON.parse(process.argv[2]) as OptimizeJob).then((answer) => {
    process.stdout.write(JSON.stringify(answer));
  });
}
