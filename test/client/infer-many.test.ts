import { inferMany } from '../../client/infer-many';
import type { InferOptions, InferenceResult, ManyResult, TensorInputs } from '../../client';

/** Inferences that end when the test says so. */
function controlled() {
  const running = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  const seen: number[] = [];
  let most = 0;
  const infer = async (inputs: TensorInputs, { signal }: InferOptions): Promise<InferenceResult> => {
    const { x } = inputs as { x: number };
    seen.push(x);
    await new Promise<void>((resolve, reject) => {
      running.set(x, { resolve, reject });
      most = Math.max(most, running.size);
      signal?.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    }).finally(() => running.delete(x));
    const resultsObject = { bucket: 'bucket', key: 'outputs/y.safetensors' };
    return {
      ...{ outputs: {}, executionArn: `arn ${x}`, resultsObject, run: '', timings: [], deploymentDigest: '' },
    };
  };
  return { infer, running, seen, most: () => most };
}

function* numbers(count: number): Generator<TensorInputs> {
  for (let x = 0; x < count; x++) yield { x };
}

/** Lets all that can happen now happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function indexes(results: readonly ManyResult[]): number[] {
  return results.map(({ index }) => index);
}

async function collect(generator: AsyncGenerator<ManyResult>): Promise<ManyResult[]> {
  const all: ManyResult[] = [];
  for await (const result of generator) all.push(result);
  return all;
}

describe('many inferences', () => {
  it('run a bounded number at a time, and return in the order of the inputs', async () => {
    const { infer, running, most } = controlled();
    const all = collect(inferMany(infer, numbers(7), { concurrency: 3 }));
    for (let ended = 0; ended < 7;) {
      await settle();
      // The last one first.
      for (const { resolve } of [...running.values()].reverse()) {
        resolve();
        ended++;
      }
    }
    expect(indexes(await all)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(most()).toBe(3);
  });

  it('end with the reason of the signal, even if the source waits', async () => {
    const controller = new AbortController();
    const { infer, running } = controlled();

    async function* waiting(): AsyncGenerator<TensorInputs> {
      yield { x: 0 };
      await new Promise(() => undefined);
    }
    const all = collect(inferMany(infer, waiting(), { signal: controller.signal }));
    await settle();
    controller.abort(new Error('enough'));
    await expect(all).rejects.toThrow('enough');
    expect(running.size).toBe(0);
  });

  it('end with the error of the source, after the results of those that have started', async () => {
    const { infer, running } = controlled();
    function* broken(): Generator<TensorInputs> {
      yield { x: 0 };
      throw new Error('no more');
    }
    const results = inferMany(infer, broken(), {});
    const first = results.next();
    await settle();
    running.get(0)?.resolve();
    expect((await first).value).toMatchObject({ index: 0 });
    await expect(results.next()).rejects.toThrow('no more');
  });

  it('report how many have ended, failed and started', async () => {
    const { infer, running } = controlled();
    const reports: unknown[] = [];
    const all = collect(
      inferMany(infer, numbers(3), { concurrency: 2, onProgress: (report) => reports.push(report) }),
    );
    await settle();
    running.get(1)?.reject(new Error('no'));
    await settle();
    running.get(0)?.resolve();
    await settle();
    running.get(2)?.resolve();
    await all;
    expect(reports).toEqual([
      { done: 1, failed: 1, started: 2 },
      { done: 2, failed: 1, started: 2 },
      { done: 3, failed: 1, started: 3 },
    ]);
  });

  it.each([0, 10_001])('are refused with a concurrency of %p', async (concurrency) => {
    await expect(inferMany(controlled().infer, [], { concurrency }).next()).rejects.toThrow(
      `option concurrency must be a whole number from 1 to 10000, got ${concurrency}`,
    );
  });
});
