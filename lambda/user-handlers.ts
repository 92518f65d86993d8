/** Functions of the user that run inside the function of a whole model: before the model, and after it. */
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FailureCause } from '../contract/failures';
import { ownFailure } from './handler-failure';

type Step = NonNullable<FailureCause['step']>;

/** The module of a step, relative to the function's code, and the export that is called. */
export interface UserHandler {
  readonly file: string;
  readonly name: string;
}

export type UserHandlers = Readonly<Partial<Record<Step, UserHandler>>>;

type Exports = Readonly<Record<string, unknown>>;

/** How often a file failed to load. */
const failedLoads = new Map<string, number>();

/**
 * Calls the user's function as Lambda would, with the event and the context of the call. Node.js keeps its module between calls.
 * @throws HandlerFailure with the step, whatever the function throws
 */
export async function handled(
  step: Step,
  { file, name }: UserHandler,
  event: unknown,
  context: unknown,
): Promise<unknown> {
  try {
    const module = await moduleOf(file);
    // Of CommonJS, Node.js finds some exports only by running the file.
    const handler = module[name] ?? module.default?.[name];
    if (typeof handler !== 'function')
      throw new TypeError(`${file} must export the function '${name}', got ${typeof handler}`);
    return (await (handler as (event: unknown, context: unknown) => unknown)(event, context)) ?? null;
  } catch (error) {
    throw ownFailure(step, error);
  }
}

/** Loads the modules before calls come. A call loads a module again that fails to load. */
export async function preloaded(handlers: UserHandlers): Promise<void> {
  await Promise.allSettled(Object.values(handlers).map(({ file }) => moduleOf(file)));
}

async function moduleOf(file: string): Promise<Exports & { readonly default?: Exports }> {
  const url = pathToFileURL(path.join(process.env.LAMBDA_TASK_ROOT ?? '', file));
  const failed = failedLoads.get(file) ?? 0;
  // Node.js keeps the failure of a module under its URL, and what made it fail may be over.
  if (failed > 0) url.searchParams.set('load', String(failed));
  try {
    return (await import(url.href)) as Exports;
  } catch (error) {
    failedLoads.set(file, failed + 1);
    throw error;
  }
}
