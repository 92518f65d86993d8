/** The choices of the props and of `Slicing.automatic`. */
import { Token } from 'aws-cdk-lib';
import { SlicedInferenceError, quoted } from '../errors';

/**
 * How far ONNX Runtime optimizes the whole model before it is cut. The slices run parts of the optimized model, so
 * their results are bit for bit those of the whole model at the same level. Higher levels run faster; their results may
 * differ from those of lower levels in the last bits.
 *
 * @example
 * new SlicedInferencePipeline(stack, 'Ocr', {
 *   modelPath: 'model.onnx',
 *   graphOptimization: GraphOptimization.BASIC,
 * });
 */
export enum GraphOptimization {
  /** Leaves the model as it is. */
  NONE = 'none',
  /** Folds constants, removes redundant nodes and fuses simple patterns: `ORT_ENABLE_BASIC`. */
  BASIC = 'basic',
  /**
   * Also fuses nodes into ONNX Runtime's own operators: `ORT_ENABLE_EXTENDED`. Which nodes it fuses depends on the
   * processor of the machine that synthesizes.
   */
  EXTENDED = 'extended',
  /**
   * As a default session of ONNX Runtime does, when the function loads the model: `ORT_ENABLE_ALL`. Only of an `InferenceFunction`, because
   * its optimizations do not stop at the cuts of slices.
   */
  ALL = 'all',
}

/**
 * Whether a run starts by calling the functions of later slices to load their weights while the first slice runs. The
 * loads of a cold run then take the time of the slowest one instead of the sum of all. A function that is already warm
 * returns at once.
 *
 * @example
 * new SlicedInferencePipeline(stack, 'Ocr', {
 *   modelPath: 'model.onnx',
 *   warmUp: WarmUp.NEVER,
 * });
 */
export enum WarmUp {
  /**
   * Warms up if it is worth its price. Runs of an Express state machine always warm up. A Standard state machine
   * charges state transitions for each warm-up, so its runs warm up only if that saves a cold run two seconds of
   * loading or more. For a fragment the type of the pipeline's own state machine decides, not the type of the one that
   * contains it.
   */
  AUTOMATIC = 'automatic',
  /** Always. */
  ALWAYS = 'always',
  /** Never. In a cold run the functions load one after the other. */
  NEVER = 'never',
}

/**
 * Whether ONNX Runtime rewrites weights for its kernels when a function loads its slice. A load then takes about 1 ms longer for each MB of
 * weights that products use. Each run is faster: measured runs take 14 to 53 % less time with weights of float32, and 2 to 8 % of the time with weights of
 * 4 bits. The last bits of some results depend on it, so all functions of a pipeline do the same.
 *
 * @example
 * new SlicedInferencePipeline(stack, 'Ocr', {
 *   modelPath: 'model.onnx',
 *   prepacking: Prepacking.NEVER,
 * });
 */
export enum Prepacking {
  /**
   * Rewrites weights unless that costs more than it saves by the model of cost, which only happens if `requestsPerHour` is set so low that nearly
   * every run is cold. A `slicedModel` has the decision of its plan, and the other two values must be that decision.
   */
  AUTOMATIC = 'automatic',
  /** Always. */
  ALWAYS = 'always',
  /** Never. */
  NEVER = 'never',
}

/**
 * Whether the pipeline also has one function with the whole model. A run first asks this function. If it has loaded the
 * model, it serves the run, at the latency and the price of one function. Otherwise the slices serve the run, which load
 * several times faster, and beside them the function is told to load for later runs. The results are the same bits either
 * way, on one class of processor. A function that fails, is throttled or does not answer never fails a run.
 *
 * @example
 * new SlicedInferencePipeline(stack, 'Ocr', {
 *   modelPath: 'model.onnx',
 *   slicing: Slicing.count(4),
 *   consolidation: Consolidation.ALWAYS,
 * });
 */
export enum Consolidation {
  /**
   * Consolidates if the whole model fits one function, of at most `maxMemorySize` of `Slicing.automatic` or 3,008 MB, and if
   * it takes at least two seconds longer to load than the slowest slice, by the model of cost. A model in one slice
   * and a `slicedModel` are never consolidated.
   */
  AUTOMATIC = 'automatic',
  /** Never. The slices serve all runs. */
  NEVER = 'never',
  /** Always, unless the model is one slice already. */
  ALWAYS = 'always',
}

/** Availability zone ids, such as `use1-az5`: https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-az-networking.html */
const ZONE_ID = /^[a-z0-9]{2,8}-az\d+$/;

/**
 * Where the tensors between slices are stored. Requests and results are always in the pipeline's bucket.
 *
 * @example
 * new SlicedInferencePipeline(stack, 'Ocr', {
 *   modelPath: 'model.onnx',
 *   tensorStore: TensorStore.s3ExpressOneZone('use1-az5'),
 * });
 */
export class TensorStore {
  /**
   * Stores the tensors in the pipeline's bucket, in S3 Standard. They are in several availability zones, and each
   * function may read and write only the keys that it needs.
   */
  public static s3Standard(): TensorStore {
    return new TensorStore();
  }

  /**
   * Stores the tensors in a directory bucket of S3 Express One Zone, which has single-digit millisecond latency and
   * charges less for requests than S3 Standard.
   *
   * - The bucket is in one availability zone. If the zone fails, runs fail. Functions in other zones see a higher
   *   latency. Lambda chooses the zone of a function without a VPC; a function whose only subnet is in this zone always
   *   runs there.
   * - Permissions cover the whole bucket: each function may read the tensors of every slice and every run.
   * - A directory bucket without requests for 90 days becomes inactive. The next requests fail for some minutes, and
   *   runs fail with them.
   * - The bucket must be empty before CloudFormation can delete it: `autoDeleteObjects` does not empty it.
   *
   * @param availabilityZoneId id of the availability zone, such as `use1-az5`. A zone name such as `us-east-1a` means
   * different zones in different accounts. Not every zone has S3 Express One Zone.
   * @throws an error of one line if the id has another form
   */
  public static s3ExpressOneZone(availabilityZoneId: string): TensorStore {
    if (!Token.isUnresolved(availabilityZoneId) && !ZONE_ID.test(availabilityZoneId)) {
      throw new SlicedInferenceError(
        'availabilityZoneId must be the id of an availability zone, such as use1-az5',
        quoted(availabilityZoneId),
        'look it up with `aws ec2 describe-availability-zones`',
      );
    }
    return new TensorStore(availabilityZoneId);
  }

  private constructor(
    /**
     * Absent for S3 Standard.
     *
     * @internal
     */
    public readonly _availabilityZoneId?: string,
  ) {}
}

/**
 * What the search for slices minimizes.
 *
 * @example
 * const slicing = Slicing.automatic({ minimize: Minimize.COST });
 */
export enum Minimize {
  /** The fewest slices, and of these the cheapest. */
  SLICES = 'slices',
  /** The price of a run. */
  COST = 'cost',
  /** The time of a run. */
  LATENCY = 'latency',
}

/**
 * The runs for which the search compares cost and latency.
 *
 * @example
 * const slicing = Slicing.automatic({ minimize: Minimize.LATENCY, temperature: Temperature.COLD });
 */
export enum Temperature {
  /** Runs that find all functions warm. */
  WARM = 'warm',
  /** Runs that find all functions cold. */
  COLD = 'cold',
  /** Both, as often as `requestsPerHour` implies. */
  MIXED = 'mixed',
}

/**
 * The percentile of the latency that the search minimizes or limits.
 *
 * @example
 * const slicing = Slicing.automatic({
 *   maxLatency: Duration.seconds(2),
 *   latencyPercentile: LatencyPercentile.P50,
 * });
 */
export enum LatencyPercentile {
  /** The median. */
  P50 = 'p50',
  /** Of 100 runs, 95 are at least that fast. */
  P95 = 'p95',
}
