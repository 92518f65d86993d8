/** Calls a deployed pipeline or a state machine, and prints or writes what it returns. */
import type { SlicedInferenceClient, TypedTensor } from '../../client';
import { bytesOf, type RawTensor } from '../../lambda/tensors/tensor';
import { sortedByModel, writeJson, writtenLine } from '../outputs/out-file';
import { Runs, showAfterFailure } from '../outputs/runs';
import { print, printJson } from '../terminal/print';
import { clearProgress, showProgress } from '../terminal/progress';
import { readTensors, type InvokeOptions } from './inputs';
import type { Waiting } from './waiting';

interface Call {
  readonly model: SlicedInferenceClient;
  readonly options: InvokeOptions;
  readonly waiting: Waiting;
}

/** Passes any JSON, also to a state machine that only contains pipelines. @throws the errors of the client */
export async function callWithJson({ model, options, waiting }: Call, input: unknown): Promise<void> {
  waiting.start();
  const { output, executionArn } = await model.invoke(input, waiting.callOptions);
  waiting.end();
  clearProgress();
  const { out, json } = options;
  if (out !== undefined) await writeJson(out, output);
  if (json) printJson({ executionArn, output });
  else if (out === undefined) printJson(output);
  else print(`execution ${executionArn}\n${writtenLine(out)}\n`);
}

/** @throws SlicedInferenceError for inputs that do not fit, before anything is sent; the errors of the client */
export async function callWithTensors({ model, options, waiting }: Call, file: string): Promise<void> {
  showProgress('reading the signature of the pipeline');
  const { signature } = await waiting.firstOf(model.describe());
  const inputs = await readTensors(file, signature);
  const { results } = options;
  const callOptions = { ...waiting.callOptions, ...(results !== undefined && { results }) };
  const runs = new Runs(options);
  let first: { readonly executionArn: string; readonly output: string } | undefined;
  const show = async (): Promise<void> => {
    waiting.end();
    clearProgress();
    const { executionArn = '', output = '{}' } = first ?? {};
    const json = (): object => ({ executionArn, output: JSON.parse(output) as unknown });
    const which = options.repeat === undefined ? '' : 'of run 1: ';
    await runs.show({ json, about: [`execution ${which}${executionArn}`] });
  };
  try {
    while (runs.next()) {
      waiting.start(runs.place);
      const begun = performance.now();
      const { result, output } = await model.inferWithOutput(inputs, callOptions);
      const ms = performance.now() - begun;
      const outputs = Object.entries(result.outputs).map(
        ([name, tensor]) => [name, rawTensor(tensor)] as const,
      );
      runs.add({ ms, timings: result.timings }, sortedByModel(signature.outputs, new Map(outputs)));
      first ??= { executionArn: result.executionArn, output };
    }
  } catch (error) {
    await showAfterFailure(show);
    throw error;
  }
  await show();
}

function rawTensor({ dtype, shape, data }: TypedTensor): RawTensor {
  if (dtype === 'string') return { dtype, shape, strings: data };
  return { dtype, shape, bytes: bytesOf(data) };
}
