/** The public API of the slicers in `plan/search/slicers.ts`. */
import type { Size } from 'aws-cdk-lib';
import { quoted } from '../errors';
import type { Fields } from './checks/check';
import { checkFields, listOf, optional } from './checks/check';
import { NUMBER, SIZE, TEXT } from './checks/kinds';
import { knownAtSynth } from './known-at-synth';
import { planPath } from './local-path';
import { readPlan } from '../compile/plan-file';
import * as slicers from '../plan/search/slicers';

/** Options of `Slicing.automatic`. */
export interface AutomaticSlicingOptions {
  /**
   * The most memory that one function may have, in MB: a whole number from 128 to 10,240.
   *
   * @default 3008 - the limit of new AWS accounts
   */
  readonly maxMemorySize?: number;
}

const TENSOR_NAMES = listOf(
  'names',
  (value) => `pass [${quoted(typeof value === 'string' ? value : 'conv5_out')}], for example`,
  TEXT,
  (_, index) => `name ${index} of the tensors`,
);

const AUTOMATIC_OPTIONS: Fields<AutomaticSlicingOptions> = { maxMemorySize: optional(NUMBER) };

/**
 * How a model is cut into slices.
 *
 * @example
 * new SlicedInferencePipeline(stack, 'Ocr', {
 *   modelPath: 'model.onnx',
 *   slicing: Slicing.count(4),
 * });
 */
export class Slicing {
  /**
   * Cuts the model into as few slices as a memory limit per function allows. Of the possible cuts it chooses the cheapest
   * ones by the model of cost. A model that fits one function becomes one slice.
   *
   * @example
   * const slicing = Slicing.automatic({ maxMemorySize: 10240 });
   */
  public static automatic(options: AutomaticSlicingOptions = {}): Slicing {
    checkFields(options, AUTOMATIC_OPTIONS, {
      where: 'the options of Slicing.automatic',
      prefix: '',
      example: '{ maxMemorySize: 3008 }',
    });
    return Slicing.by(
      slicers.automatic({ maxMemorySize: knownAtSynth(options.maxMemorySize, 'maxMemorySize') }),
    );
  }

  /**
   * Cuts the model into a fixed number of slices that cost little and move few bytes. Large weights are spread evenly.
   *
   * @param slices number of slices, 1 or more
   * @example
   * const slicing = Slicing.count(4);
   */
  public static count(slices: number): Slicing {
    const what = 'the number of slices';
    NUMBER(slices, what);
    return Slicing.by(slicers.count(knownAtSynth(slices, what)));
  }

  /**
   * Cuts the model into as few slices as possible whose weights are at most `size` each.
   *
   * @param size the largest size of a slice's weights
   * @example
   * const slicing = Slicing.maxSliceSize(Size.mebibytes(500));
   */
  public static maxSliceSize(size: Size): Slicing {
    const what = 'the size of a slice';
    SIZE(size, what);
    return Slicing.by(slicers.maxSliceSize(knownAtSynth(size, what).toBytes()));
  }

  /**
   * Cuts the model after each of the named tensors: n tensors give n + 1 slices. A slice holds the nodes that its
   * tensor depends on and that no earlier slice holds. The last slice holds the remaining nodes.
   *
   * @param tensors names of intermediate tensors, in any order
   * @example
   * const slicing = Slicing.atTensors(['encoder_out', 'decoder_out']);
   */
  public static atTensors(tensors: string[]): Slicing {
    const what = 'the names of tensors';
    TENSOR_NAMES(knownAtSynth(tensors, what), what);
    return Slicing.by(slicers.atTensors(tensors));
  }

  /**
   * Cuts the model at the same places as an existing plan. The plan must be of a model with the same graph; its weights
   * may differ.
   *
   * @param path path of a `plan.json` that `sliced-inference slice` has written
   * @example
   * const slicing = Slicing.fromPlan('ocr-plan.json');
   */
  public static fromPlan(path: string): Slicing {
    const file = planPath(path);
    return new Slicing(() => slicers.fromPlan(readPlan(file), file));
  }

  private static by(slicer: slicers.Slicer): Slicing {
    return new Slicing(() => slicer);
  }

  private constructor(
    /**
     * Returns the slicer. `fromPlan` reads its plan file here.
     *
     * @internal
     */
    public readonly _slicer: () => slicers.Slicer,
  ) {}
}
