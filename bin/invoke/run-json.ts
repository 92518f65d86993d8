/** Starts a state machine with any JSON, also one that only contains pipelines, and prints or writes the JSON that its execution returns. */
import { SlicedInferenceError, systemReason } from '../../lib/errors';
import { replaceFileAsync } from '../../lib/host/write-beside';
import { writtenLine } from '../outputs/out-file';
import { noteUnfinished } from '../process/unfinished';
import { partialFile } from '../tensor-files';
import { print, printJson } from '../terminal/print';
import { clearProgress } from '../terminal/progress';
import type { Call } from './call';

/** @throws the errors of the client */
export async function runJson({ model, options, waiting }: Call, input: unknown): Promise<void> {
  waiting.start();
  const { output, executionArn } = await model.invoke(input, waiting.callOptions);
  waiting.end();
  clearProgress();
  const { out, json } = options;
  if (out !== undefined) await write(out, `${JSON.stringify(output, undefined, 2)}\n`);
  if (json) printJson({ executionArn, output });
  else if (out === undefined) printJson(output);
  else print(`execution ${executionArn}\n${writtenLine(out)}\n`);
}

async function write(out: string, content: string): Promise<void> {
  const partial = partialFile(out);
  noteUnfinished({ partial, parents: [] });
  try {
    await replaceFileAsync(out, Buffer.from(content), partial);
  } catch (error) {
    throw new SlicedInferenceError(`file '${out}' must be writable`, systemReason(error), 'check the path');
  }
}
