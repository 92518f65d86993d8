/** Keeps a slice loaded between calls, and measures how long loading it takes. */
import type { SliceTiming } from '../../contract/execution';
import type { SliceManifest } from '../../contract/slice-manifest';
import type { ObjectStore } from '../store/object-store';
import { Stopwatch } from '../telemetry/telemetry';
import type { SliceEnvironment } from './environment';
import { fetchManifest, startLoading, type LoadedSlice, type LoadingSlice } from './load';

type LoadTiming = Pick<SliceTiming, 'cold' | 'warmedUp' | 'loadMs'>;

const WARM: LoadTiming = { cold: false, warmedUp: false, loadMs: 0 };

export interface SliceForRun {
  readonly manifest: Promise<SliceManifest>;
  readonly loaded: Promise<{ readonly slice: LoadedSlice; readonly timing: LoadTiming }>;
}

export class ResidentSlice {
  private loading: LoadingSlice | undefined;
  private isLoaded = false;
  private warmUp: { readonly run: string; readonly loadMs: number } | undefined;

  constructor(
    private readonly objects: ObjectStore,
    private readonly root?: string,
  ) {}

  get isReady(): boolean {
    return this.isLoaded;
  }

  /** Without a load, unless one has begun. */
  manifest(environment: SliceEnvironment): Promise<SliceManifest> {
    const { loading, objects, root } = this;
    return loading === undefined
      ? fetchManifest(objects, environment, root)
      : this.joined(loading, environment).manifest;
  }

  async loadForLater(environment: SliceEnvironment): Promise<number> {
    const { timing } = await this.load(environment).loaded;
    return timing.loadMs;
  }

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

  private load(environment: SliceEnvironment): SliceForRun {
    const watch = new Stopwatch();
    const cold = !this.isLoaded;
    const { manifest, slice } =
      this.loading === undefined ? this.start(environment) : this.joined(this.loading, environment);
    return { manifest, loaded: this.finished(slice, cold, watch) };
  }

  private start(environment: SliceEnvironment): LoadingSlice {
    const loading = startLoading(this.objects, environment, this.root);
    this.loading = loading;
    // Forget a failed load when it fails, even if no call waits for it: then the next call loads.
    loading.slice.catch(() => {
      if (this.loading === loading) this.loading = undefined;
    });
    return loading;
  }

  /**
   * Waits for the load that an earlier call left running when it failed early, for example for a bad request. Lambda may
   * have frozen that load and its connections, so its failure does not count: the slice is then loaded once more.
   */
  private joined(earlier: LoadingSlice, environment: SliceEnvironment): LoadingSlice {
    let again: LoadingSlice | undefined;
    const restart = (): LoadingSlice => (again ??= this.start(environment));
    const manifest = earlier.manifest.catch(() => restart().manifest);
    // A warm-up does not await the manifest.
    manifest.catch(() => undefined);
    return { manifest, slice: earlier.slice.catch(() => restart().slice) };
  }

  private async finished(loading: Promise<LoadedSlice>, cold: boolean, watch: Stopwatch) {
    const slice = await loading;
    this.isLoaded = true;
    return { slice, timing: cold ? { cold, warmedUp: false, loadMs: watch.lap() } : WARM };
  }
}
