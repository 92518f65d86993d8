/** Runs many inferences, a bounded number at a time, and returns their results in the order of the inputs. */
import {
  checkMilliseconds,
  checkWhole,
  inlineMode,
  DEFAULT_CONCURRENCY,
  type InferManyOptions,
  type InferOptions,
} from './options';
import type { InferenceResult, ManyResult } from './result';
import { firstOf, linkedController } from './run/wait';
import type { TensorInputs } from './tensors/tensor-forms';

type Infer = (inputs: TensorInputs, options: InferOptions) => Promise<InferenceResult>;
type Inputs = Iterable<TensorInputs> | AsyncIterable<TensorInputs>;
type Source = Iterator<TensorInputs> | AsyncIterator<TensorInputs>;

type Taken = IteratorResult<TensorInputs> | { readonly failure: Error };

/** The quota of Express executions is per second, and an account rarely has more functions at a time. */
const MAX_CONCURRENCY = 10_000;

export async function* inferMany(
  infer: Infer,
  inputs: Inputs,
  options: InferManyOptions,
): AsyncGenerator<ManyResult, void, undefined> {
  checkMilliseconds('waitTimeout', options.waitTimeout);
  inlineMode(options.results);
  const { concurrency = DEFAULT_CONCURRENCY } = options;
  checkWhole('concurrency', concurrency, MAX_CONCURRENCY);
  const source = iteratorOf(inputs);
  const many = new Many(infer, options);
  let next: Promise<Taken> | undefined;
  let isExhausted = false;
  let failure: Error | undefined;
  try {
    for (;;) {
      const isFull = isExhausted || many.unread.length >= concurrency;
      if (next === undefined && !isFull) next = take(source);
      // A slow source does not hold back results, and a slow inference does not hold back the source.
      const awaited = [next, many.unread.at(0)].filter((promise) => promise !== undefined);
      if (awaited.length === 0) break;
      const event = await firstOf<ManyResult | Taken>(awaited, many.signal);
      if ('index' in event) {
        many.forgetFirst();
        yield event;
        continue;
      }
      next = undefined;
      // The inferences that have started are paid for, so their results come before the error of the source.
      if ('failure' in event) [isExhausted, failure] = [true, event.failure];
      else if (event.done === true) isExhausted = true;
      else many.start(event.value);
    }
    if (failure !== undefined) throw failure;
  } finally {
    await many.end();
    if (!isExhausted) await close(source, next);
  }
}

function iteratorOf(inputs: Inputs): Source {
  return Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]();
}

async function take(source: Source): Promise<Taken> {
  try {
    return await source.next();
  } catch (error) {
    return { failure: asError(error) };
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** A source that waits for its next value could close only afterwards. */
async function close(source: Source, next: Promise<unknown> | undefined): Promise<void> {
  const closing = Promise.all([next, source.return?.()]);
  if (next === undefined) await closing;
  // The error that has ended the loop is the one to report.
  else void closing.catch(() => undefined);
}

class Many {
  /** Those that the loop has not returned yet, in the order of the inputs. None of them rejects. */
  readonly unread: Promise<ManyResult>[] = [];
  private readonly controller: AbortController;
  private readonly unlink: () => void;
  private readonly inferOptions: InferOptions;
  private readonly onProgress: InferManyOptions['onProgress'];
  private started = 0;
  private done = 0;
  private failed = 0;

  constructor(
    private readonly infer: Infer,
    { signal, onProgress, ...options }: InferManyOptions,
  ) {
    ({ controller: this.controller, unlink: this.unlink } = linkedController(signal));
    this.onProgress = onProgress;
    this.inferOptions = { ...options, signal: this.signal };
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  start(inputs: TensorInputs): void {
    const index = this.started++;
    const inference = this.infer(inputs, this.inferOptions).then(
      (result): ManyResult => ({ index, result }),
      (error: unknown): ManyResult => {
        this.failed++;
        return { index, error: asError(error) };
      },
    );
    this.unread.push(
      inference.then((result) => {
        this.done++;
        this.report();
        return result;
      }),
    );
  }

  forgetFirst(): void {
    void this.unread.shift();
  }

  async end(): Promise<void> {
    this.controller.abort(new Error('the loop over the results has ended'));
    await Promise.all(this.unread);
    this.unlink();
  }

  private report(): void {
    const { done, failed, started } = this;
    if (this.signal.aborted) return;
    try {
      this.onProgress?.({ done, failed, started });
    } catch (error) {
      // Ends the loop, which throws this error.
      this.controller.abort(error);
    }
  }
}
