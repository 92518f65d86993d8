/** Stores what a postprocess function has answered for the entries of a result: a line of JSON for each. */
import type { AnswersToStore, StoredAnswers } from '../../contract/batch-function';
import type { PackFailure } from '../../contract/batch-pack';
import { sliceFailed } from '../errors';
import { parsedRecord } from '../json-values';
import { SafetensorsStore } from '../store/safetensors-store';
import type { BatchContext } from './context';
import { resultName } from './item-digest';
import { failureOfItem } from './item-failure';
import { writeObject } from './objects';
import { resultDigests } from './pack-object';

/** A line of the object. */
export interface StoredLine {
  /** Of the item. */
  readonly digest: string;
  /** What the function answered. */
  readonly output: unknown;
}

export async function storeAnswers(
  { result, items, from, answers, prefix, salt }: AnswersToStore,
  context: BatchContext,
): Promise<StoredAnswers> {
  const reader = await new SafetensorsStore(context.objects, context.settings.bucket).open(result);
  await reader.discard();
  const digests = resultDigests(reader.pack);
  if (digests === undefined)
    throw sliceFailed(`${result} must name its items, got none: start the batch again`);
  const done: number[] = [];
  const lines: StoredLine[] = [];
  const failed: PackFailure[] = [];
  for (const [at, answer] of answers.entries()) {
    if ('failure' in answer) {
      const { error, message } = answer.failure;
      failed.push({ items: [items[at]], ...failureOfItem(error, message) });
      continue;
    }
    done.push(items[at]);
    lines.push({ digest: digests[from + at], output: answer.value });
  }
  if (lines.length === 0) return { results: [], failed };
  const name = resultName(
    lines.map(({ digest }) => digest),
    salt,
    'jsonl',
  );
  const key = `${prefix}${name}`;
  await writeObject(key, [Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))], context);
  return { results: [{ key, items: done }], failed };
}

/** @throws NamedFailure for an object that something else has written */
export function storedLines(bytes: Buffer): StoredLine[] {
  const lines = bytes.toString('utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const { digest, output } = parsedRecord(line) ?? {};
    if (typeof digest !== 'string') throw sliceFailed('a line of a result must have the digest of an item');
    return { digest, output };
  });
}
