/** The choice of storage for the tensors between slices. */
import { Token } from 'aws-cdk-lib';
import { SlicedInferenceError, quoted } from '../errors';

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
