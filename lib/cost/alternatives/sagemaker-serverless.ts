/** SageMaker Serverless Inference: an endpoint that is charged by memory and time, and stops between requests. */
import type { RunCost } from '../cost-model';
import { coldShare, computeMs, MIB } from '../formulas/lambda';
import { GIB, storagePerMonth } from '../formulas/s3';
import { loadTiming } from '../formulas/slice-timing';
import { LatencyDistribution } from '../latency/latency-distribution';
import type { Alternative, AlternativeSetting, WholeModel } from './alternative';
import { bestOf, hostOf, inMb, missedTargets, payPerRun, runPrice } from './alternative';

/** Memory sizes in MB. https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html */
const STEP_MB = 1024;

export function sageMakerServerless(model: WholeModel, setting: AlternativeSetting): Alternative {
  const { maxMemoryMb } = setting.options.environment.sageMaker;
  const least = Math.max(STEP_MB, Math.ceil(model.peakMemoryMb / STEP_MB) * STEP_MB);
  const sizes = [least];
  for (let size = least + STEP_MB; size <= maxMemoryMb; size += STEP_MB) sizes.push(size);
  return bestOf(
    sizes.map((size) => endpointOf(model, setting, size)),
    runPrice(setting),
  );
}

function endpointOf(model: WholeModel, setting: AlternativeSetting, memoryMb: number): Alternative {
  const { prices, environment } = setting.options;
  const { sageMaker, lambda } = environment;
  const vcpus = memoryMb / sageMaker.mbPerVcpu;
  const busyMs = computeMs(model.coreSeconds, Math.max(1, Math.floor(vcpus)), vcpus, environment);
  const load = loadTiming(model.fileBytes, vcpus * lambda.mbPerVcpu, hostOf(setting));
  const way = LatencyDistribution.fromPercentiles(lambda.invokeMs);
  const dollars =
    (busyMs / 1000) * (memoryMb / 1024) * prices.sageMaker.gbSecond +
    ((model.requestBytes + model.responseBytes) / GIB) * prices.sageMaker.data;
  const run = (ms: number): RunCost => ({
    dollars,
    latency: { p50: ms + way.quantile(0.5), p95: ms + way.quantile(0.95) },
  });
  const warm = run(busyMs);
  const cold = run(busyMs + sageMaker.coldStartMs + load.downloadMs + load.sessionMs + load.firstRunMs);
  const payloadMb = Math.max(model.requestBytes, model.responseBytes) / MIB;
  return {
    id: 'sagemaker-serverless',
    name: 'SageMaker Serverless Inference',
    size: inMb(memoryMb),
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
      ...missedTargets(warm, cold, setting.targets),
    ],
    notes: ['the time of a cold start is assumed, and assumed not to be charged'],
    warm,
    cold,
    dollarsPerMonth: payPerRun(
      warm,
      cold,
      (rate) => coldShare(rate, environment),
      storagePerMonth(model.fileBytes, prices),
    ),
  };
}
