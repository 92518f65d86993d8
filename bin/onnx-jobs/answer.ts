/** Answers the job of `ask` into a file, or of the library on standard output, in the process that it started. */
import * as fs from 'node:fs';
import type { Session } from '../../lambda/slice/session';
import { oneLine, printable } from '../../lib/errors';
import { printJsonText } from '../terminal/print';
import type { Failure } from './ask';

export type Sessions = typeof Session;

type Run = (job: unknown, sessions: Sessions) => Promise<object>;

export async function answerJob(run: Run): Promise<void> {
  const [, , question, answer] = process.argv as readonly (string | undefined)[];
  const job: unknown = JSON.parse(fs.readFileSync(question ?? '', 'utf8'));
  const found = await outcome(job, run);
  if (answer !== undefined) fs.writeFileSync(answer, JSON.stringify(found));
  else printJsonText(JSON.stringify('failure' in found ? { error: found.failure } : found));
}

async function outcome(job: unknown, run: Run): Promise<object> {
  let isUnloadable = true;
  try {
    // A static import that fails would end the process before it can answer.
    const { Session: sessions } = await import('../../lambda/slice/session.js');
    isUnloadable = false;
    return await run(job, sessions);
  } catch (error) {
    return { failure: reasonOf(error), isUnloadable } satisfies Failure;
  }
}

/** Some of ONNX Runtime's messages contain whole stack traces; the cause is at their beginning. */
const MAX_REASON_LENGTH = 400;

/** In one line. */
export function reasonOf(error: unknown): string {
  return printable(oneLine((error as Error).message), MAX_REASON_LENGTH);
}
