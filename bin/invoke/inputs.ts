/** What `--inputs` and `--input-json` of `run` and `invoke` name. */
import * as fs from 'node:fs';
import { type Command, Option } from 'commander';
import type { ResultsPlace } from '../../client';
import { ownFunctions } from '../../client/description/pipeline-description';
import type { PipelineSignature } from '../../contract/signature';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { SlicedInferenceError } from '../../lib/errors';
import { readText } from '../../lib/host/read-text';
import { wholeNumber } from '../commands/search-options';
import { checkOut } from '../outputs/out-file';
import { readInputs } from '../tensor-files';

/** Far above the 256 KiB that Step Functions takes, so that the message about that limit names the size. */
const MAX_JSON_BYTES = 64 * 2 ** 20;

/** Each run of a deployed pipeline costs money. */
const MOST_RUNS = 10_000;

/** The flags of `run` and `invoke` that name what goes in and where the results go. */
export interface InputOptions {
  readonly inputs?: string;
  readonly inputJson?: string;
  readonly out?: string;
  readonly json?: boolean;
  /** How often the pipeline runs. */
  readonly repeat?: number;
}

export interface InvokeOptions extends InputOptions {
  readonly stateMachine?: string;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly stopOnAbort?: boolean;
  readonly results?: ResultsPlace;
}

export function addInputOptions(command: Command): Command {
  return command
    .option('--inputs <file>', '.safetensors, .npz, .npy or .json')
    .addOption(
      new Option(
        '--input-json <file or text>',
        'any JSON, for a pipeline with a preprocess or postprocess function, or for your own state machine',
      ).conflicts('inputs'),
    )
    .addOption(
      new Option(
        '--repeat <n>',
        `run 2 to ${MOST_RUNS} times, one after the other: print the time of a cold run, p50 and p95 of the warm ones, and compare the outputs`,
      )
        .argParser(wholeNumber(2, MOST_RUNS))
        .conflicts('inputJson'),
    );
}

/** @throws SlicedInferenceError if the command lacks an input, or cannot write what comes out */
export function checkInputOptions(command: string, { inputs, inputJson, out }: InputOptions): void {
  if (inputs === undefined && inputJson === undefined) {
    throw new SlicedInferenceError(`${command} must have --inputs or --input-json`, 'neither', 'add one');
  }
  if (out !== undefined) checkOut(out, inputs === undefined ? 'json' : 'tensors');
}

/** @throws SlicedInferenceError for a pipeline with functions of the user, and for inputs that do not fit */
export async function readTensors(
  file: string,
  signature: Pick<PipelineSignature, 'inputs' | 'preprocess' | 'postprocess'>,
): Promise<ReadonlyMap<string, RawTensor>> {
  const functions = ownFunctions(signature);
  if (functions !== undefined) {
    throw new SlicedInferenceError(
      '--inputs must be for a pipeline that takes and returns tensors',
      `one with ${functions}`,
      'use --input-json',
    );
  }
  return await readInputs(file, signature.inputs);
}

/** @throws SlicedInferenceError for a text that is neither JSON nor a file with JSON */
export function readJson(value: string): unknown {
  if (!fs.existsSync(value)) return parse(value, 'neither a file nor JSON');
  const text = readText(value, 'file of --input-json', MAX_JSON_BYTES, 'pass the path of a file with JSON');
  return parse(text, `no JSON in '${value}'`);
}

function parse(text: string, got: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's message quotes the text, which can be long and private.
    throw new SlicedInferenceError(
      '--input-json must be JSON, or a file with JSON',
      got,
      'pass JSON such as {"image": "photos/1.jpg"}, or the path of a file with JSON',
    );
  }
}
