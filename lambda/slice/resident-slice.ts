/** The slice that a function keeps loaded between calls, and what loading it took. */
import type { SliceTiming } from '../../contract/execution';
import type { SliceManifest } from '../../contract/slice-manifest';
import type { ObjectStore } from '../store/object-store';
import { Stopwatch } from '../telemetry/stopwatch';
import type { SliceEnvironment } from './environment';
import { startLoading, type LoadedSlice, type LoadingSlice } from './load';

type LoadTiming = Pick<SliceTiming, 'cold' | 'warmedUp' | 'loadMs'>;

const WARM: LoadTiming = { cold: false, warmedUp: false, loadMs: 0 };

export interface SliceForRun {
  readonly manifest: Promise<SliceManifest>;
  readonly loaded: Promise<{ readonly slice: LoadedSlice; readonly timing: LoadTiming }>;
}

export class ResidentSlice {
  private loading: LoadingSlice | undefined;
  private isLoaded = false;
  /** A load that a warm-up did for a run whose own call has not come yet. */
  private warmUp: { readonly run: string; readonly loadMs: number } | undefined;

  /** @param root folder for the slice's files, by default the system's temporary one. */
  constructor(
    private readonly objects: ObjectStore,
    private readonly root?: string,
  ) {}

  /** Loads the slice ahead of the run's own call. */
  async warm(environment: SliceEnvironment, run: string): Promise<LoadTiming> {
    const { timing } = await this.load(environment).loaded;
    if (timing.cold) this.warmUp = { run, loadMs: timing.loadMs };
    return timing;
  }

  /** The slice for a run's call; a load by the run's warm-up counts as the run's. */
  forRun(environment: SliceEnvironment, run: string): SliceForRun {
    const { warmUp } = this;
    this.warmUp = undefined;
    const { manifest, loaded } = this.load(environment);
    if (warmUp?.run !== run) return { manifest, loaded };
    const timing = { cold: true, warmedUp: true, loadMs: warmUp.loadMs };
    return { manifest, loaded: loaded.then(({ slice }) => ({ slice, timing })) };
  }

  /** One that a call before has left on its way is waited for. */
  private load(environment: SliceEnvironment): SliceForRun {
    const watch = new Stopwatch();
    const cold = !this.isLoaded;
    this.loading ??= startLoading(this.objects, environment, this.root);
    const { manifest, slice } = this.loading;
    return { manifest, loaded: this.finished(slice, cold, watch) };
  }

  private async finished(loading: Promise<LoadedSlice>, cold: boolean, watch: Stopwatch) {
    try {
      const slice = await loading;
      this.isLoaded = true;
      return { slice, timing: cold ? { cold, warmedUp: false, loadMs: watch.lap() } : WARM };
    } catch (error) {
      // A load that failed leaves nothing behind, and the next event tries again.
      this.loading = undefined;
      throw error;
    }
  }
}
