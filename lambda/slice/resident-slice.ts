/** Keeps a slice loaded between calls, and measures how long loading it takes. */
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
  /** The load by the last warm-up, until the next call takes it. */
  private warmUp: { readonly run: string; readonly loadMs: number } | undefined;

  /** @param root folder for the slice's files; default: the system's temporary folder */
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

  /** The slice for a run's call. The timing includes a load by the same run's warm-up. */
  forRun(environment: SliceEnvironment, run: string): SliceForRun {
    const { warmUp } = this;
    this.warmUp = undefined;
    const { manifest, loaded } = this.load(environment);
    if (warmUp?.run !== run) return { manifest, loaded };
    const timing = { cold: true, warmedUp: true, loadMs: warmUp.loadMs };
    return { manifest, loaded: loaded.then(({ slice }) => ({ slice, timing })) };
  }

  /** Starts to load the slice, or waits for the load that an earlier call started. */
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
      // Forget the failed load, so that the next event tries again.
      this.loading = undefined;
      throw error;
    }
  }
}
