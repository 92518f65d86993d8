/** One Lambda function with SnapStart: Lambda restores a snapshot in which the model is loaded. */
import { LatencyDistribution } from '../latency/latency-distribution';
import { type Alternative, type AlternativeSetting, type WholeModel, SECONDS_PER_MONTH } from './alternative';
import { imageBreaks, imageGb } from './container-image';
import { wholeFunction } from './whole-function';

export function snapStart(model: WholeModel, setting: AlternativeSetting): Alternative {
  const { prices, environment } = setting.options;
  const restore = LatencyDistribution.fromPercentiles(environment.lambda.restoreMs);
  return wholeFunction(model, setting, {
    id: 'snap-start',
    name: 'one Lambda function with SnapStart',
    notes: [
      'SnapStart for Node.js and for container images is announced, not confirmed',
      `SnapStart allows ${environment.lambda.freeTmpMb} MB of /tmp, so the weights are in a container image`,
      'SnapStart excludes provisioned concurrency and EFS',
      'the cache is charged for every published version until it is deleted, for three hours at least',
    ],
    guess: 'SnapStart for Node.js and for container images is announced, not confirmed',
    tmpBytes: 0,
    breaks: imageBreaks(model, setting),
    start: (load, memoryMb) => ({
      ms: load.placementMs,
      billedMs: restore.mean,
      random: restore,
      requestDollars: (memoryMb / 1024) * prices.lambda.snapStartRestoreGb,
    }),
    standingDollars: (memoryMb) =>
      (memoryMb / 1024) * prices.lambda.snapStartCacheGbSecond * SECONDS_PER_MONTH +
      imageGb(model) * prices.ecr.storage,
  });
}
