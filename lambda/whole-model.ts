/** Loads the whole model for later runs, unless this sandbox has loaded it or another one is loading it. */
import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { ObjectReference } from '../contract/execution';
import type { LoadAnswer } from '../contract/slice-event';
import { sliceFailed } from './errors';
import type { SliceEnvironment } from './slice/environment';
import type { ResidentSlice } from './slice/resident-slice';
import { ObjectUnavailable, type ObjectStore } from './store/object-store';
import { crc32 } from './tensors/checksums';

/** @param times the end of the loader is that of its call */
export async function loadOnce(
  resident: ResidentSlice,
  objects: ObjectStore,
  environment: SliceEnvironment,
  times: LoadTimes,
): Promise<LoadAnswer> {
  if (environment.loaderClaim === undefined)
    throw sliceFailed(
      'only the function of the whole model loads for later runs: call that function instead',
    );
  if (resident.isReady) return { loaded: 'before', loadMs: 0 };
  const claim = new LoaderClaim(objects, environment.loaderClaim);
  if (!(await claim.take(times))) return { loaded: 'elsewhere', loadMs: 0 };
  let outcome: 'loaded' | 'failed' = 'failed';
  try {
    const loadMs = await resident.loadForLater(environment);
    outcome = 'loaded';
    return { loaded: 'now', loadMs };
  } finally {
    // A claim that cannot be freed expires.
    await claim.release(outcome).catch(() => undefined);
  }
}

/** What the object says. Each claim has an id of its own, so that two claims never have the same version in S3. */
interface Claim {
  readonly loader: string;
  /** In milliseconds since the Unix epoch: when the loader has ended at the latest, or when it had loaded. 0 if it failed. */
  readonly until: number;
}

interface LoadTimes {
  readonly until: number;
  readonly askedAt: number;
}

/** In milliseconds. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const LONGEST_CALL_MS = 900_000;

/** A claim is less than 100 bytes. */
const MOST_BYTES = 1024;

/** Stands for an object with other content, which anyone with access to the bucket may have written. */
const FREE: Claim = { loader: '', until: 0 };

/**
 * Of an empty object, which no loader wrote. S3 names no version that a write could replace, so loads go on without a claim
 * until the object expires.
 */
const NO_VERSION = '';

/**
 * Lets one sandbox at a time load the whole model. A loader claims an object in the pipeline's bucket by a conditional write,
 * and frees it when it has loaded. A claim names the time when the loader's call ends at the latest, so a dead loader blocks
 * later ones until then. S3 orders conditional writes, and each claim has an id of its own. So of loaders that find the same ended
 * claim, one writes, and the others read a claim that has not ended. A loader whose answer was lost finds its own id. No result depends on
 * the claim: a wrong clock loads a second copy or none. Reserved concurrency is no way, because small accounts cannot reserve any.
 */
export class LoaderClaim {
  private readonly loader = randomUUID();

  constructor(
    private readonly objects: ObjectStore,
    private readonly object: ObjectReference,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Claims the load, unless another loader holds it, or has loaded since the run asked: that copy is also for this run's
   * successors.
   */
  async take({ until, askedAt }: LoadTimes): Promise<boolean> {
    const { bytes, sum } = encoded({ loader: this.loader, until });
    if (await this.objects.write(this.object, [bytes], sum)) return true;
    const found = await this.read();
    if (found === undefined) return false;
    // The answer to our own write was lost, and its repetition found what the first attempt had written.
    if (found.loader === this.loader) return true;
    if (this.holds(found, askedAt)) return false;
    if (found.version === NO_VERSION) return true;
    if (await this.objects.write(this.object, [bytes], sum, found.version)) return true;
    return (await this.read())?.loader === this.loader;
  }

  /** Frees the claim for runs that ask from now on, or for all if the load failed. */
  async release(outcome: 'loaded' | 'failed'): Promise<void> {
    const found = await this.read();
    if (found?.loader !== this.loader) return;
    const { bytes, sum } = encoded({ loader: this.loader, until: outcome === 'loaded' ? this.now() : 0 });
    await this.objects.write(this.object, [bytes], sum, found.version);
  }

  /** No call lasts until then if the end is too far: the claim is of a loader whose clock is fast, or of nobody. */
  private holds({ until }: Claim, askedAt: number): boolean {
    const now = this.now();
    return until > Math.min(now, askedAt) && until <= now + LONGEST_CALL_MS;
  }

  /** `undefined` if the object is gone, which a lifecycle rule may delete. */
  private async read() {
    try {
      const { body, version } = await this.objects.get(this.object, { start: 0, end: MOST_BYTES });
      return { ...parsed(await buffer(body)), version };
    } catch (error) {
      if (error instanceof ObjectUnavailable) return undefined;
      throw error;
    }
  }
}

function encoded(claim: Claim): { readonly bytes: Uint8Array; readonly sum: number } {
  const bytes = Buffer.from(JSON.stringify(claim));
  return { bytes, sum: crc32(bytes) };
}

function parsed(bytes: Buffer): Claim {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    const { loader, until } = (value ?? {}) as Partial<Record<keyof Claim, unknown>>;
    return typeof loader === 'string' && typeof until === 'number' ? { loader, until } : FREE;
  } catch {
    // The object is not a claim, so it blocks nobody.
    return FREE;
  }
}
