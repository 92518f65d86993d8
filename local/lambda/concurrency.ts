/** Calls at the same time: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html */
import type { FunctionResource } from '../cloudformation/resources';
import { LocalCloudError } from '../local-cloud-error';
import { throttled } from './service-error';

/** New accounts often have 10. */
const ACCOUNT_CONCURRENCY = 1000;

/** Left to functions without a reservation: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const LEAST_UNRESERVED_CONCURRENCY = 100;

/** All versions of a function share its reservation. */
type ConcurrentFunction = Pick<FunctionResource, 'arn' | 'reservedConcurrency'>;

const UNRESERVED = '';

export class Concurrency {
  private readonly busy = new Map<string, number>();
  private unreserved: number;

  constructor(private readonly limit = ACCOUNT_CONCURRENCY) {
    this.unreserved = limit;
    if (Number.isInteger(limit) && limit > 0) return;
    throw new LocalCloudError(
      `an account's concurrency must be a positive integer, got ${limit}: set it to your account's, or leave it out`,
    );
  }

  /**
   * Returns a function that replaces the reservations of the earlier deployment. Refuses in the words of
   * https://github.com/aws-samples/amazon-rekognition-serverless-large-scale-image-and-video-processing/issues/6
   */
  prepare(functions: readonly ConcurrentFunction[]): () => void {
    const least = Math.min(LEAST_UNRESERVED_CONCURRENCY, this.limit);
    const reservations = new Map(
      functions.map(({ arn, reservedConcurrency = 0 }) => [arn, reservedConcurrency]),
    );
    const reserved = [...reservations.values()].reduce((sum, each) => sum + each, 0);
    if (reserved > 0 && this.limit - reserved < least) {
      throw new LocalCloudError(
        `the functions must leave ${least} of the account's concurrency of ${this.limit}, got ${reserved} reserved: Specified ` +
          "ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum " +
          `value of [${least}]: reserve less, or set the concurrency of your account`,
      );
    }
    return () => {
      this.unreserved = this.limit - reserved;
    };
  }

  enter({ arn, reservedConcurrency }: ConcurrentFunction): () => void {
    const group = reservedConcurrency === undefined ? UNRESERVED : arn;
    const busy = this.busy.get(group) ?? 0;
    if (busy >= (reservedConcurrency ?? this.unreserved)) throw throttled();
    this.busy.set(group, busy + 1);
    return () => {
      this.busy.set(group, (this.busy.get(group) ?? 0) - 1);
    };
  }
}
