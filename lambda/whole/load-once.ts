/** Loads the whole model for later runs, unless this sandbox has loaded it or another one is loading it. */
import type { LoadAnswer } from '../../contract/slice-event';
import { sliceFailed } from '../errors';
import type { SliceEnvironment } from '../slice/environment';
import type { ResidentSlice } from '../slice/resident-slice';
import type { ObjectStore } from '../store/object-store';
import { LoaderClaim } from './loader-claim';

export interface LoadCall {
  readonly run: string;
  /** When Lambda ends the call, in milliseconds since the Unix epoch. */
  readonly endsAt: number;
}

export async function loadOnce(
  resident: ResidentSlice,
  objects: ObjectStore,
  environment: SliceEnvironment,
  { run, endsAt }: LoadCall,
): Promise<LoadAnswer> {
  if (environment.loaderClaim === undefined)
    throw sliceFailed('only the function of the whole model loads for later runs: call that function instead');
  if (resident.isReady) return { loaded: 'before', loadMs: 0 };
  const claim = new LoaderClaim(objects, environment.loaderClaim);
  if (!(await claim.take(endsAt))) return { loaded: 'elsewhere', loadMs: 0 };
  try {
    const { loadMs } = await resident.warm(environment, run);
    return { loaded: 'now', loadMs };
  } finally {
    // A claim that cannot be freed expires.
    await claim.release().catch(() => undefined);
  }
}
