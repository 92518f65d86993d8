/** SageMaker Serverless Inference: an endpoint that is charged by memory and time, and stops between requests. */
import { computeMs, MIB } from '../formulas/lambda';
import { GIB, storagePerMonth } from '../formulas/s3';
import { loadTiming } from '../formulas/slice-timing';
import { LatencyDistribution } from '../latency/latency-distribution';
import {
  type Alternative,
  type AlternativeSetting,
  type AlternativeSize,
  type WholeModel,
  hostOf,
  payPerRun,
} from './alternative';
import { alternativeOf } from './sizes';
import { inMb, inMs } from './wording';

/** Memory sizes in MB. https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html */
const STEP_MB = 1024;

export function sageMakerServerless(model: WholeModel, setting: AlternativeSetting): Alternative {
  const { maxMemoryMb, coldStartMs } = setting.options.environment.sageMaker;
  const least = Math.max(STEP_MB, Math.ceil(model.peakMemoryMb / STEP_MB) * STEP_MB);
  const sizes = [least];
  for (let size = least + STEP_MB; size <= maxMemoryMb; size += STEP_MB) sizes.push(size);
  return alternativeOf(
    setting,
    {
      id: 'sagemaker-serverless',
      name: 'SageMaker Serverless Inference',
      notes: [
        `no source was found for the time of a cold start: ${inMs(coldStartMs)}, besides loading, is a guess`,
        'that AWS does not charge for cold starts is a guess',
      ],
      guess: 'the time of its cold starts, and that they cost nothing, are guesses',
    },
    sizes.map((size) => endpointOf(model, setting, size)),
  );
}

function endpointOf(model: WholeModel, setting: AlternativeSetting, memoryMb: number): AlternativeSize {
  const { prices, environment } = setting.options;
  const { sageMaker, lambda } = environment;
  const vcpus = memoryMb / sageMaker.mbPerVcpu;
  const busyMs = computeMs(model.coreSeconds, Math.max(1, Math.floor(vcpus)), vcpus, environment);
  const load = loadTiming(model.fileBytes, vcpus * lambda.mbPerVcpu, hostOf(setting));
  const way = LatencyDistribution.fromPercentiles(lambda.invokeMs);
  const dollars =
    (busyMs / 1000) * (memoryMb / 1024) * prices.sageMaker.gbSecond +
    ((model.requestBytes + model.responseBytes) / GIB) * prices.sageMaker.data;
  const warm = { dollars, time: way.shift(busyMs) };
  const startMs = sageMaker.coldStartMs + load.downloadMs + load.sessionMs + load.firstRunMs;
  const cold = { dollars, time: way.shift(busyMs + startMs) };
  const payloadMb = Math.max(model.requestBytes, model.responseBytes) / MIB;
  return {
    nameAt: () => inMb(memoryMb),
    breaks: [
      ...(memoryMb > sageMaker.maxMemoryMb
        ? [
            `the model needs ${inMb(model.peakMemoryMb)}, and an endpoint has at most ${inMb(sageMaker.maxMemoryMb)}`,
          ]
        : []),
      ...(payloadMb > sageMaker.maxPayloadMb
        ? [
            `a request or result has ${payloadMb.toFixed(1)} MB, and the endpoint takes at most ${sageMaker.maxPayloadMb} MB`,
          ]
        : []),
      ...(busyMs > sageMaker.maxSeconds * 1000
        ? [`a request may take at most ${sageMaker.maxSeconds} s`]
        : []),
    ],
    warm,
    cold,
    dollarsPerMonth: payPerRun(warm, cold, storagePerMonth(model.fileBytes, prices)),
  };
}
