/** One Lambda function from a zip, which loads the weights from S3 into `/tmp`. */
import { MIB, tmpMb } from '../formulas/lambda';
import { storagePerMonth, storesOf } from '../formulas/s3';
import type { Alternative, AlternativeSetting, WholeModel } from './alternative';
import { wholeFunction } from './whole-function';
import { inMb } from './wording';

export function oneFunction(model: WholeModel, setting: AlternativeSetting): Alternative {
  const { prices, environment } = setting.options;
  const store = storesOf(prices, environment)['s3-standard'];
  const tmp = tmpMb(model.fileBytes, environment);
  const parts = Math.ceil(model.fileBytes / (environment.handler.partMb * MIB));
  return wholeFunction(model, setting, {
    id: 'one-function',
    name: 'one Lambda function with weights from S3',
    notes: [],
    tmpBytes: model.fileBytes,
    breaks:
      tmp > environment.lambda.maxTmpMb
        ? [
            `the weights need ${inMb(tmp)} of /tmp, and a function has at most ${inMb(environment.lambda.maxTmpMb)}`,
          ]
        : [],
    start: (load) => {
      const billedMs = load.initMs + store.firstGetMs + store.get.mean + load.downloadMs + load.sessionMs;
      return {
        ms: load.placementMs + billedMs - store.get.mean,
        billedMs,
        random: store.get,
        requestDollars: parts * store.getDollars,
      };
    },
    standingDollars: () => storagePerMonth(model.fileBytes, prices),
  });
}
