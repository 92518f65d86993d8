/** Starts a state machine with any JSON, also one that only contains pipelines, and prints or writes the JSON that its execution returns. */
import { writeText, writtenLine } from '../outputs/out-file';
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
  if (out !== undefined) await keepingResult({ executionArn }, writeText(out, '--out', text(output)));
  const printed = out === undefined ? text(output) : `execution ${executionArn}\n${writtenLine(out)}\n`;
  process.stdout.write(json ? text({ executionArn, output }) : printed);
}

function text(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
