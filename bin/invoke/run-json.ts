/** Starts a state machine with any JSON, also one that only contains pipelines, and prints or writes the JSON that its execution returns. */
import { jsonText, writeJson } from '../outputs/json-out';
import { writtenLine } from '../outputs/out-file';
import { clearProgress } from '../terminal/progress';
import type { Call } from './call';

/** @throws the errors of the client */
export async function runJson({ model, options, waiting }: Call, input: unknown): Promise<void> {
  waiting.start();
  const { output, executionArn } = await model.invoke(input, waiting.callOptions);
  waiting.end();
  clearProgress();
  const { out, json } = options;
  if (out !== undefined) await writeJson(out, output);
  const printed = out === undefined ? jsonText(output) : `execution ${executionArn}\n${writtenLine(out)}\n`;
  process.stdout.write(json ? jsonText({ executionArn, output }) : printed);
}
