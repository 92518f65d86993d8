/** The slice that a function keeps loaded between calls, and what loading it took. */
import type { SliceTiming } from '../contract';
import { Stopwatch } from '../stopwatch';
import type { ObjectStore } from '../store/object-store';
import type { SliceEnvironment } from './environment';
import { loadSlice, type LoadedSlice } from './load';

export type LoadTiming = Pick<SliceTiming, 'cold' | 'warmedUp' | 'loadMs'>;

const WARM: LoadTiming = { cold: false, warmedUp: false, loadMs: 0 };

export class ResidentSlice {
  private loaded: LoadedSlice | undefined;
  /** A load that a warm-up did for a run whose own call has not come yet. */
  private warmUp: { readonly run: string; readonly loadMs: number } | undefined;

  /** @param root folder for the slice's files, by default the system's temporary one. */
  constructor(
    private readonly objects: ObjectStore,
    private readonly root?: string,
  ) {}

  /** Loads the slice ahead of the run's own call. */
  async warm(environment: SliceEnvironment, run: string): Promise<LoadTiming> {
    const { timing } = await this.load(environment);
    if (timing.cold) this.warmUp = { run, loadMs: timing.loadMs };
    return timing;
  }

  /** The slice for a run's call; a load by the run's warm-up counts as the run's. */
  async forRun(
    environment: SliceEnvironment,
    run: string,
  ): Promise<{ readonly slice: LoadedSlice; readonly timing: LoadTiming }> {
    const { warmUp } = this;
    this.warmUp = undefined;
    const { slice, timing } = await this.load(environment);
    if (timing.cold || warmUp?.run !== run) return { slice, timing };
    return { slice, timing: { cold: true, warmedUp: true, loadMs: warmUp.loadMs } };
  }

  private async load(
    environment: SliceEnvironment,
  ): Promise<{ readonly slice: LoadedSlice; readonly timing: LoadTiming }> {
    if (this.loaded !== undefined) return { slice: this.loaded, timing: WARM };
    const watch = new Stopwatch();
    // Assigned when it is whole: a load that failed leaves nothing behind, and the next event tries again.
    this.loaded = await loadSlice(this.objects, environment, this.root);
    return { slice: this.loaded, timing: { cold: true, warmedUp: false, loadMs: watch.lap() } };
  }
}
