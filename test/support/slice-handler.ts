/** Handlers of the tiny slices over objects in memory, with the events and tensors of their runs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FailureCause } from '../../contract/failures';
import type { SliceAnswer, SliceEvent } from '../../contract/slice-event';
import { makeHandler, type SliceHandler } from '../../lambda/handler';
import { decodeSafetensors, encodeSafetensors } from '../../lambda/tensors/safetensors';
import type { RawTensor } from '../../lambda/tensors/tensor';
import { comparable } from './arbitrary-tensors';
import { MemoryObjects } from './memory-objects';
import { DEPLOYMENT_DIGEST, float32Bytes, MANIFESTS, stageFunction, stageSlice } from './tiny-slice';

export const RUN = 'machine/run-1';

/** A float32 tensor with rows of three. */
export function tensor(values: readonly number[]): RawTensor {
  return { dtype: 'float32', shape: [values.length / 3, 3], bytes: float32Bytes(values) };
}

export function inline(values: readonly number[]): object {
  return { dtype: 'float32', shape: [values.length / 3, 3], data: values };
}

/** What a run with `x` = 1, 2, 3 and `scale` = 2, 2, 2 reads and computes. */
export const x = tensor([1, 2, 3]);
export const scale = tensor([2, 2, 2]);
export const early = tensor([-1, -2, -3]);
export const late = tensor([22, 44, 66]);

export function event(changes: object = {}): SliceEvent {
  const tensors = { x: inline([1, 2, 3]), scale: inline([2, 2, 2]) };
  return {
    version: 1,
    deploymentDigest: DEPLOYMENT_DIGEST,
    run: RUN,
    request: { version: 1, inputs: { tensors } },
    ...changes,
  };
}

/** The results of such a run. */
export const RESULTS = named({ late, early, x });

/** Named tensors in a form that `toEqual` compares. */
export function named(tensors: Readonly<Record<string, RawTensor>>): unknown {
  return comparable(new Map(Object.entries(tensors)));
}

/** A safetensors file of the tensors. */
export function file(tensors: Readonly<Record<string, RawTensor>>): Uint8Array {
  return encodeSafetensors(new Map(Object.entries(tensors)));
}

/** New objects, log lines and files of slices for each test of the file. */
export function sliceHandlers(): SliceHandlers {
  const slices = new SliceHandlers();
  beforeEach(() => {
    slices.reset();
  });
  afterEach(() => {
    slices.remove();
  });
  return slices;
}

class SliceHandlers {
  objects = new MemoryObjects();
  /** The lines of the log, parsed. */
  lines: Record<string, unknown>[] = [];
  private root = '';

  reset(): void {
    this.objects = new MemoryObjects();
    this.lines = [];
    this.root = mkdtempSync(join(tmpdir(), 'handler-'));
  }

  /** Stages the slice and creates its handler. `variables` are added to the environment. */
  handler(slice: number, variables: Readonly<Record<string, string>> = {}): SliceHandler {
    return this.handlerOf({ ...stageSlice(this.objects, slice), ...variables });
  }

  /** The handler of a function that has the whole model, and that callers invoke. */
  functionHandler(variables: Readonly<Record<string, string>> = {}): SliceHandler {
    return this.handlerOf({ ...stageFunction(this.objects), ...variables });
  }

  /** A handler for events that are no warm-ups. */
  sliceHandler(slice: number, manifest = MANIFESTS[slice]): (event: SliceEvent) => Promise<SliceAnswer> {
    const handler = this.handlerOf(stageSlice(this.objects, slice, manifest));
    return async (sliceEvent) => (await handler(sliceEvent)) as SliceAnswer;
  }

  /** Tensors of a safetensors object, in a form that `toEqual` compares. */
  stored(key = ''): unknown {
    return comparable(decodeSafetensors(this.objects.bytes(key) ?? new Uint8Array(0)));
  }

  /** The objects other than the slices' files. */
  written(): string[] {
    return this.objects.keys().filter((key) => !key.startsWith('assets/'));
  }

  remove(): void {
    // A call that failed early leaves its load running, which may still write a file.
    rmSync(this.root, { recursive: true, maxRetries: 20 });
  }

  private handlerOf(variables: Readonly<Record<string, string>>): SliceHandler {
    const { lines, objects, root } = this;
    const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
    return makeHandler(variables, () => objects, { root, write });
  }
}

/** The error that the handler throws for an event, its cause parsed. */
export async function failure(
  handler: SliceHandler,
  badEvent: unknown,
): Promise<{ name: string; cause: FailureCause }> {
  try {
    await handler(badEvent as SliceEvent);
  } catch (error) {
    const { name, message, stack } = error as Error;
    expect(stack).toBe(name);
    return { name, cause: JSON.parse(message) as FailureCause };
  }
  throw new Error('the handler did not fail');
}
