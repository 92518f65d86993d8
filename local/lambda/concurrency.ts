/** Calls at the same time: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html */
import type { FunctionResource } from '../cloudformation/resources';
import { LocalCloudError } from '../local-cloud-error';
import { throttled } from './service-error';

/** New accounts often have 10. */
const ACCOUNT_CONCURRENCY = 1000;

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const LEAST_UNRESERVED = 100;

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

  /** Replaces the reservations of the earlier deployment. */
  reserve(functions: readonly ConcurrentFunction[]): void {
    const reservations = new Map(
      functions.map(({ arn, reservedConcurrency = 0 }) => [arn, reservedConcurrency]),
    );
    this.unreserved = [...reservations.values()].reduce((left, each) => left - each, this.limit);
    const least = Math.min(LEAST_UNRESERVED, this.limit);
    if (reservations.size === 0 || this.unreserved >= least) return;
    throw new LocalCloudError(
      `functions must leave ${least} of the account's ${this.limit} concurrent executions unreserved, got ${this.unreserved}: reserve fewer`,
    );
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
