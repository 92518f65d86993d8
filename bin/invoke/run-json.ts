/** Starts a state machine with any JSON, also one that only contains pipelines, and prints or writes the JSON that its execution returns. */
import { writeJson } from '../outputs/json-out';
import { writtenLine } from '../outputs/out-file';
import { print, printJson } from '../terminal/print';
import { clearProgress } from '../terminal/progress';
import type { Call } from './call';
import { keepingResult } from './keep-result';

/** @throws the errors of the client */
export async function runJson({ model, options, waiting }: Call, input: unknown): Promise<void> {
  waiting.start();
  const { output, executionArn } = await model.invoke(input, waiting.callOptions);
  waiting.end();
  clearProgress();
  const { out, json } = options;
  if (out !== undefined) await keepingResult({ executionArn }, writeJson(out, output));
  if (json) printJson({ executionArn, output });
  else if (out === undefined) printJson(output);
  else print(`execution ${executionArn}\n${writtenLine(out)}\n`);
}
