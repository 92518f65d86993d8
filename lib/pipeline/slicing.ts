/** The public API of the slicers in `plan/slicers/`. */
import type { Size } from 'aws-cdk-lib';
import { knownAtSynth } from './known-at-synth';
import { readEnvironment, readPrices } from '../compile/files/read-constants';
import { MOST_SLICES } from '../plan/sizes/lambda-quotas';
import { readPlan } from '../compile/files/read-plan';
import type { Transport } from '../cost/chain';
import type { CostOptions } from '../cost/options';
import type { SplitOptions } from '../compile/splitting';
import * as slicers from '../plan/slicers';
import {
  type AutomaticSlicingOptions,
  type SlicingEstimateOptions,
  checkAutomaticOptions,
  checkEstimateOptions,
} from './slicing-options';

/** What plans are compared by, as far as the user sets it for a slicing. */
export interface SlicingEstimates {
  readonly costs: CostOptions;
  readonly splits: SplitOptions;
}

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
   * Searches for the best cuts, memory sizes and threads by the model of cost (docs/costs.md): the fewest slices, the
   * cheapest ones or the fastest ones, within limits on latency, cost and memory. By default it makes as few slices as a
   * memory limit per function allows, and of these the cheapest. A model that fits one function becomes one slice.
   *
   * Type of the state machine, architecture, warm-ups, VPC, `tensorStore`, `intermediateRetention` and `outputRetention` of
   * the pipeline count.
   *
   * @throws an error of one line for an invalid option; the pipeline throws one if no plan keeps the limits, and says
   * which plan comes closest
   * @example
   * const slicing = Slicing.automatic({ minimize: Minimize.COST, maxLatency: Duration.seconds(2) });
   */
  public static automatic(options: AutomaticSlicingOptions = {}): Slicing {
    checkAutomaticOptions(options);
    const { minimize, maxLatency, latencyPercentile: quantile, ...limits } = options;
    const search = {
      ...{ minimize, quantile, maxSlices: MOST_SLICES },
      maxCostPerMillion: limits.maxCostPerMillion,
      maxLatencyMs: maxLatency?.toMilliseconds({ integral: false }),
      maxMemorySize: limits.maxMemorySize,
      temperature: limits.temperature,
      requestsPerHour: limits.requestsPerHour,
    };
    // The memory limit is checked here, where the caller sets it.
    slicers.automatic(search);
    return new Slicing((transport) => slicers.automatic({ ...search, transport }), options);
  }

  /**
   * Cuts the model into a fixed number of slices. Their largest function is as small as possible: the product of the largest memory and of
   * the longest time to load and to compute. Cuts that cost much more than others are left out.
   *
   * @param slices number of slices, 1 or more
   * @param estimates by what the slices are planned
   * @example
   * const slicing = Slicing.count(4);
   */
  public static count(slices: number, estimates: SlicingEstimateOptions = {}): Slicing {
    const slicer = slicers.count(knownAtSynth(slices, 'the number of slices'));
    return new Slicing(() => slicer, estimates);
  }

  /**
   * Cuts the model into as few slices as possible whose weights are at most `size` each.
   *
   * @param size the largest size of a slice's weights
   * @param estimates by what the slices are planned
   * @example
   * const slicing = Slicing.maxSliceSize(Size.mebibytes(500));
   */
  public static maxSliceSize(size: Size, estimates: SlicingEstimateOptions = {}): Slicing {
    const slicer = slicers.maxSliceSize(knownAtSynth(size, 'the size of a slice').toBytes());
    return new Slicing(() => slicer, estimates);
  }

  /**
   * Cuts the model after each of the named tensors: n tensors give n + 1 slices. A slice holds the nodes that its
   * tensor depends on and that no earlier slice holds. The last slice holds the remaining nodes.
   *
   * @param tensors names of intermediate tensors, in any order
   * @param estimates by what the slices are planned
   * @example
   * const slicing = Slicing.atTensors(['encoder_out', 'decoder_out']);
   */
  public static atTensors(tensors: string[], estimates: SlicingEstimateOptions = {}): Slicing {
    const slicer = slicers.atTensors(knownAtSynth(tensors, 'the names of tensors'));
    return new Slicing(() => slicer, estimates);
  }

  /**
   * Cuts the model at the same places as an existing plan. The plan must be of a model with the same graph; its weights
   * may differ.
   *
   * @param path path of a `plan.json` that `sliced-inference slice` has written
   * @param estimates by what the slices are planned
   * @example
   * const slicing = Slicing.fromPlan('ocr-plan.json');
   */
  public static fromPlan(path: string, estimates: SlicingEstimateOptions = {}): Slicing {
    const file = knownAtSynth(path, 'the path of a plan');
    return new Slicing(() => slicers.fromPlan(readPlan(file), file), estimates);
  }

  private constructor(
    /**
     * Returns the slicer. `fromPlan` reads its plan file here.
     *
     * @internal
     */
    public readonly _slicer: (transport?: Transport) => slicers.Slicer,
    private readonly options: SlicingEstimateOptions,
  ) {
    checkEstimateOptions(options);
  }

  /**
   * Reads the files that the options name.
   *
   * @internal
   */
  public _estimates(): SlicingEstimates {
    const { prices, environment, requestsPerHour, splits, splitLargeOperators } = this.options;
    return {
      splits: { named: splits, others: splitLargeOperators },
      costs: {
        ...(prices !== undefined && { prices: readPrices(prices) }),
        ...(environment !== undefined && { environment: readEnvironment(environment) }),
        ...(requestsPerHour !== undefined && { requestsPerHour }),
      },
    };
  }
}
