/** Where the tensors between slices are kept. */
import { Token } from 'aws-cdk-lib';
import { SlicedInferenceError } from '../errors';

/** Ids of zones, such as `use1-az5`: https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-az-networking.html */
const ZONE_ID = /^[a-z0-9]{2,8}-az\d+$/;

/** Where the tensors between slices are kept. Requests and results are in the pipeline's bucket in any case. */
export class TensorStore {
  /** In the pipeline's bucket, S3 Standard: in several availability zones, each function with rights to exact keys. */
  public static s3Standard(): TensorStore {
    return new TensorStore();
  }

  /**
   * In a directory bucket of S3 Express One Zone, which answers within single-digit milliseconds and charges less for
   * requests. It lies in one availability zone: when that fails, so do runs, and functions that run in another zone have
   * some of the latency back. Lambda chooses the zone of a function that is in no VPC; one with a subnet in this zone alone
   * stays there. Access is to the bucket as a whole: each function may read what any slice has written, of any run.
   *
   * A directory bucket that nobody uses for 90 days goes to sleep, and answers the first requests after that with errors for
   * some minutes; runs fail until then. When it leaves the stack it must be empty: `autoDeleteObjects` is not for it.
   *
   * @param availabilityZoneId id of the zone, such as `use1-az5`; names such as `us-east-1a` mean other zones in other
   * accounts. Not all zones have S3 Express One Zone.
   */
  public static s3ExpressOneZone(availabilityZoneId: string): TensorStore {
    if (!Token.isUnresolved(availabilityZoneId) && !ZONE_ID.test(availabilityZoneId)) {
      throw new SlicedInferenceError(
        'availabilityZoneId must be the id of a zone, such as use1-az5',
        availabilityZoneId,
        'look it up with `aws ec2 describe-availability-zones`',
      );
    }
    return new TensorStore(availabilityZoneId);
  }

  private constructor(
    /** @internal */
    public readonly _availabilityZoneId?: string,
  ) {}
}
