/** S3 Standard and S3 Express One Zone: delays and prices of requests, bytes and storage. */
import type { Environment } from '../constants/environment';
import type { Prices } from '../constants/prices';
import type { Transport } from '../chain';
import { LatencyDistribution } from '../latency/latency-distribution';

/** Bytes of a GB in S3's prices. */
export const GIB = 2 ** 30;

/** Average days of a month in which S3 bills storage. */
const DAYS_PER_MONTH = 365 / 12;

/** Delays of a store, and dollars of what is done with it. */
export interface Store {
  readonly get: LatencyDistribution;
  readonly put: LatencyDistribution;
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
  const standardGet = LatencyDistribution.fromPercentiles(s3.standardGet);
  const standardPut = LatencyDistribution.fromPercentiles(s3.standardPut);
  const expressGet = LatencyDistribution.fromPercentiles(s3.expressGet);
  const expressPut = LatencyDistribution.fromPercentiles(s3.expressPut);
  return {
    's3-standard': {
      get: standardGet,
      put: standardPut,
      firstGetMs: longer(s3.standardFirstGetMs, standardGet),
      firstPutMs: longer(s3.standardFirstPutMs, standardPut),
      putDollars: price.standardPuts / 1e6,
      getDollars: price.standardGets / 1e6,
      uploadDollarsPerByte: 0,
      downloadDollarsPerByte: 0,
      dollarsPerByteAndDay: price.standardStorage / GIB / DAYS_PER_MONTH,
    },
    's3-express': {
      get: expressGet,
      put: expressPut,
      firstGetMs: longer(s3.expressFirstGetMs, expressGet),
      firstPutMs: longer(s3.expressFirstPutMs, expressPut),
      putDollars: price.expressPuts / 1e6,
      getDollars: price.expressGets / 1e6,
      uploadDollarsPerByte: price.expressUploads / GIB,
      downloadDollarsPerByte: price.expressDownloads / GIB,
      dollarsPerByteAndDay: price.expressStorage / GIB / DAYS_PER_MONTH,
    },
  };
}

/** Dollars a month for files that functions load, which are in S3 Standard. */
export function storagePerMonth(bytes: number, prices: Prices): number {
  return (bytes / GIB) * prices.s3.standardStorage;
}

function longer(firstMedian: number, later: LatencyDistribution): number {
  return Math.max(0, firstMedian - later.quantile(0.5));
}
