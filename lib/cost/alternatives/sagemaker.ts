/** SageMaker Serverless Inference: an endpoint that stops between requests. */
import { computeMs, MIB } from '../formulas/lambda';
import { GIB, storagePerMonth } from '../formulas/s3';
import { hostOf, loadTiming } from '../formulas/slice-timing';
import { LatencyDistribution } from '../latency/latency-distribution';
import {
  type AlternativeSetting,
  type AlternativeSize,
  type Service,
  type WholeModel,
  payPerRun,
} from './alternative';
import { inMb, inMs, memoryBreaks } from './wording';

/** Steps of an endpoint's memory in MB. https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html */
const STEP_MB = 1024;

export function sageMakerServerless(model: WholeModel, setting: AlternativeSetting): Service {
  const { maxMemoryMb, coldStartMs } = setting.options.environment.sageMaker;
  const least = Math.max(1, Math.ceil(model.peakMemoryMb / STEP_MB));
  const larger = Math.max(0, Math.floor(maxMemoryMb / STEP_MB) - least);
  return {
    id: 'sagemaker-serverless',
    name: 'SageMaker Serverless Inference',
    notes: [
      `no source was found for the time of a cold start: ${inMs(coldStartMs)}, besides loading, is a guess`,
      'that AWS does not charge for cold starts is a guess',
    ],
    sizes: Array.from({ length: 1 + larger }, (_, step) =>
      endpointOf(model, setting, (least + step) * STEP_MB),
    ),
  };
}

function endpointOf(model: WholeModel, { options }: AlternativeSetting, memoryMb: number): AlternativeSize {
  const { prices, environment } = options;
  const { sageMaker, lambda } = environment;
  const { maxMemoryMb, maxPayloadMb, maxSeconds } = sageMaker;
  const vcpus = memoryMb / sageMaker.mbPerVcpu;
  const busyMs = computeMs(model.coreSeconds, Math.max(1, Math.floor(vcpus)), vcpus, environment);
  const load = loadTiming(model.fileBytes, vcpus * lambda.mbPerVcpu, hostOf(options));
  const startMs = sageMaker.coldStartMs + load.downloadMs + load.sessionMs + load.firstRunMs;
  const way = LatencyDistribution.fromPercentiles(lambda.invokeMs);
  const dollars =
    (busyMs / 1000) * (memoryMb / 1024) * prices.sageMaker.gbSecond +
    ((model.requestBytes + model.responseBytes) / GIB) * prices.sageMaker.data;
  const warm = { dollars, time: way.shift(busyMs) };
  const cold = { dollars, time: way.shift(busyMs + startMs) };
  const payloadMb = Math.max(model.requestBytes, model.responseBytes) / MIB;
  return {
    nameAt: () => inMb(memoryMb),
    breaks: [
      ...memoryBreaks(model.peakMemoryMb, 'an endpoint', maxMemoryMb),
      ...(payloadMb > maxPayloadMb
        ? [`a request or result has ${payloadMb.toFixed(1)} MB, and an endpoint takes ${maxPayloadMb} MB`]
        : []),
      ...(busyMs > maxSeconds * 1000 ? [`a request may take at most ${maxSeconds} s`] : []),
    ],
    ...{ warm, cold },
    dollarsPerMonth: payPerRun(warm, cold, storagePerMonth(model.fileBytes, prices)),
  };
}
