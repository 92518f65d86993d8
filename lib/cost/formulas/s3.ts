/** S3 Standard and S3 Express One Zone: delays and prices of requests, bytes and storage. */
import type { Pairs } from '../constants/constant';
import type { Environment, Prices } from '../constants/defaults';
import type { Transport } from '../chain';
import { LatencyDistribution, atPercent } from '../latency/latency-distribution';

/** Bytes of a GB in S3's prices. */
export const GIB = 2 ** 30;

const DAYS_PER_MONTH = 365 / 12;

export interface Store {
  readonly get: LatencyDistribution;
  readonly put: LatencyDistribution;
  readonly medianGetMs: number;
  /** Milliseconds that the first request of an invocation takes longer, because it opens a connection. */
  readonly firstGetMs: number;
  readonly firstPutMs: number;
  readonly putDollars: number;
  readonly getDollars: number;
  readonly uploadDollarsPerByte: number;
  readonly downloadDollarsPerByte: number;
  readonly dollarsPerByteAndDay: number;
}

export function storesOf(prices: Prices, { s3 }: Environment): Readonly<Record<Transport, Store>> {
  const price = prices.s3;
  return {
    's3-standard': {
      ...delaysOf(s3.standardGet, s3.standardPut, s3.standardFirstGetMs, s3.standardFirstPutMs),
      putDollars: price.standardPuts / 1e6,
      getDollars: price.standardGets / 1e6,
      uploadDollarsPerByte: 0,
      downloadDollarsPerByte: 0,
      dollarsPerByteAndDay: price.standardStorage / GIB / DAYS_PER_MONTH,
    },
    's3-express': {
      ...delaysOf(s3.expressGet, s3.expressPut, s3.expressFirstGetMs, s3.expressFirstPutMs),
      putDollars: price.expressPuts / 1e6,
      getDollars: price.expressGets / 1e6,
      uploadDollarsPerByte: price.expressUploads / GIB,
      downloadDollarsPerByte: price.expressDownloads / GIB,
      dollarsPerByteAndDay: price.expressStorage / GIB / DAYS_PER_MONTH,
    },
  };
}

/** @param firstGetMs median of the first GET of a call */
function delaysOf(gets: Pairs, puts: Pairs, firstGetMs: number, firstPutMs: number) {
  const [get, put] = [gets, puts].map((pairs) => LatencyDistribution.fromPercentiles(pairs));
  // A distribution has steps, between which the medians of S3 Express lie.
  const longer = (first: number, later: Pairs) => Math.max(0, first - atPercent(later, 50));
  return {
    get,
    put,
    medianGetMs: atPercent(gets, 50),
    firstGetMs: longer(firstGetMs, gets),
    firstPutMs: longer(firstPutMs, puts),
  };
}

/** Dollars a month for files that functions load, which are in S3 Standard. */
export function storagePerMonth(bytes: number, prices: Prices): number {
  return (bytes / GIB) * prices.s3.standardStorage;
}
