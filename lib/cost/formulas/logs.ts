/** CloudWatch Logs: what the lines of calls cost. */
import type { Prices } from '../constants/defaults';
import { GIB } from './s3';

/** @param bytes of lines, with what CloudWatch adds to each */
export function logDollars(bytes: number, { cloudWatch }: Prices): number {
  return (bytes / GIB) * cloudWatch.logs;
}
