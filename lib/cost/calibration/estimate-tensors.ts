/** How long functions wait for S3 when they read and write tensors. */
import { median } from '../../compute-time/profile/quantiles';
import type { Estimator } from './estimator';
import type { CallSample } from './samples';
import { distributionOf } from './statistics';

export function estimateReads(estimator: Estimator): void {
  const { samples, options, environment, lastSlice } = estimator;
  const { s3, handler } = environment;
  const { tensorStore, slices = [] } = options;
  const delays = samples.calls.flatMap((call) => {
    // The request of the first slice may be in the event, and so may the tensors of other slices.
    const isLocal =
      call.bytesRead === 0 || call.s3Gets + call.expressGets === 0 || (call.slice === 0 && lastSlice > 0);
    if ((call.cold && !call.warmedUp) || isLocal) return [];
    const requestsMs = ((slices[call.slice]?.reads ?? 1) * handler.requestCpuMs) / estimator.shareOf(call);
    return [Math.max(0, call.readMs - requestsMs - estimator.transferMs(call.bytesRead, call))];
  });
  const [get, first, shape] =
    tensorStore === 's3-express'
      ? (['expressGet', 'expressFirstGetMs', s3.expressGet] as const)
      : (['standardGet', 'standardFirstGetMs', s3.standardGet] as const);
  const kind = 'calls that read tensors of other slices';
  estimator.estimate('s3', get, delays, kind, (all) => distributionOf(all, shape));
  // Each measured read is the first one of its call.
  estimator.estimate('s3', first, delays, kind, median);
}

export function estimateWrites(estimator: Estimator): void {
  const { samples, options, environment, lastSlice } = estimator;
  const { s3, handler } = environment;
  const delayOf = (call: CallSample): number => {
    const requestMs = handler.requestCpuMs / estimator.shareOf(call);
    return Math.max(0, call.writeMs - requestMs - estimator.transferMs(call.bytesWritten, call));
  };
  const written = samples.calls.filter(({ bytesWritten }) => bytesWritten > 0);
  const isExpress = ({ slice }: CallSample): boolean =>
    options.tensorStore === 's3-express' && slice < lastSlice;
  const standard = written.filter((call) => !isExpress(call)).map(delayOf);
  const kind = 'calls that write';
  estimator.estimate('s3', 'standardPut', standard, kind, (all) => distributionOf(all, s3.standardPut));
  estimator.estimate('s3', 'standardFirstPutMs', standard, kind, median);
  if (options.tensorStore === 's3-standard') return;
  const express = written.filter(isExpress).map(delayOf);
  estimator.estimate('s3', 'expressPut', express, kind, (all) => distributionOf(all, s3.expressPut));
  estimator.estimate('s3', 'expressFirstPutMs', express, kind, median);
}
