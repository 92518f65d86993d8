/** How a model is to be cut: the public face of `plan/slicers.ts`. */
import type { Size } from 'aws-cdk-lib';
import { knownAtSynth } from './known-at-synth';
import { readPlan } from '../compile/plan-file';
import * as slicers from '../plan/search/slicers';

/** Options of `Slicing.automatic`. */
export interface AutomaticSlicingOptions {
  /**
   * The most memory that one function may have, in MB.
   *
   * @default 3008 - what new AWS accounts allow
   */
  readonly maxMemorySize?: number;
}

/** How a model is cut into slices. */
export class Slicing {
  /**
   * As few slices as a memory limit allows, and among those the cuts that move the fewest bytes.
   *
   * A model that fits one function becomes one slice.
   */
  public static automatic(options: AutomaticSlicingOptions = {}): Slicing {
    return Slicing.by(slicers.automatic(knownAtSynth(options.maxMemorySize, 'maxMemorySize')));
  }

  /**
   * A fixed number of slices that need about the same memory.
   *
   * @param slices number of slices, 1 or more
   */
  public static count(slices: number): Slicing {
    return Slicing.by(slicers.count(knownAtSynth(slices, 'the number of slices')));
  }

  /**
   * As few slices as possible with at most so many bytes of weights each.
   *
   * @param size the most weights that a slice may hold
   */
  public static maxSliceSize(size: Size): Slicing {
    return Slicing.by(slicers.maxSliceSize(knownAtSynth(size, 'the size of a slice').toBytes()));
  }

  /**
   * A cut after each of the named tensors. A slice holds all that its tensor needs and that no earlier slice has;
   * the last slice holds the rest. n tensors give n + 1 slices.
   *
   * @param tensors names of intermediate tensors, in any order
   */
  public static atTensors(tensors: string[]): Slicing {
    return Slicing.by(slicers.atTensors(knownAtSynth(tensors, 'the names of tensors')));
  }

  /**
   * The slices of a plan that was made before, from a model with the same graph. Weights may differ.
   *
   * @param path path of a `plan.json`, as `sliced-inference slice` writes it
   */
  public static fromPlan(path: string): Slicing {
    const file = knownAtSynth(path, 'the path of a plan');
    return new Slicing(() => slicers.fromPlan(readPlan(file), file));
  }

  private static by(slicer: slicers.Slicer): Slicing {
    return new Slicing(() => slicer);
  }

  private constructor(
    /**
     * Reads the plan file, if there is one.
     *
     * @internal
     */
    public readonly _slicer: () => slicers.Slicer,
  ) {}
}
