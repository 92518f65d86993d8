/** Loads the whole model for later runs, unless this sandbox has loaded it or another one is loading it. */
import type { LoadAnswer } from '../../contract/slice-event';
import { sliceFailed } from '../errors';
import type { SliceEnvironment } from '../slice/environment';
import type { ResidentSlice } from '../slice/resident-slice';
import type { ObjectStore } from '../store/object-store';
import { LoaderClaim, type LoadTimes } from './loader-claim';

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
