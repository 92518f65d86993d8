/** The cost and the time of one slice. */
import type { SliceDemand, StepChoice, StepCost } from './cost-model';
import type { CostOptions } from './cost-options';
import { durationRate, singleThreadMs, tmpRate, vcpuShare, MIB } from './formulas/lambda';
import type { Store } from './formulas/s3';
import type { Host } from './formulas/slice-timing';
import { callTiming, loadTiming } from './formulas/slice-timing';
import { payloadMs } from './formulas/step-functions';
import type { LineItems } from './line-items';
import { NO_ITEMS, sumOfItems } from './line-items';
import type { Transport } from './cost-model';

/** What the steps of a run have in common. */
export interface StepSetting {
  readonly options: Required<CostOptions>;
  readonly host: Host;
  readonly stores: Readonly<Record<Transport, Store>>;
}

/** A step with the items of its bill. */
export interface DetailedStep extends StepCost {
  readonly warmItems: LineItems;
  readonly coldItems: LineItems;
}

export function stepOf(setting: StepSetting, demand: SliceDemand, choice: StepChoice): DetailedStep {
  const { options, host } = setting;
  const { prices, environment } = options;
  const isFirst = choice.readsFrom === 'request';
  const reads = setting.stores[choice.readsFrom === 'request' ? 's3-standard' : choice.readsFrom];
  const writes = setting.stores[choice.writesTo];
  const files = setting.stores['s3-standard'];
  const isInline = isFirst && options.request === 'inline';
  const gets = isInline ? 0 : demand.readTensors;
  const readBytes = isInline ? 0 : demand.readBytes;

  const call = callTiming(demand, choice.memoryMb, choice.threads, gets + 1, readBytes, host);
  const load = loadTiming(demand.fileBytes, choice.memoryMb, host);
  const connectMs = gets > 0 ? reads.firstGetMs : writes.firstPutMs;
  const payload = isInline ? payloadMs(demand.readBytes, options.stateMachineType, environment) : 0;
  const transferMs = call.overheadMs + call.readMs + call.writeMs + connectMs;
  const warmMs = call.computeMs + transferMs + payload;
  const firstByteMs = files.firstGetMs + files.get.mean;
  const billedLoadMs = load.initMs + firstByteMs + load.downloadMs + load.sessionMs;

  // The first slice is called at once; a warm-up would be no earlier.
  const warmUps = options.warmUp && !isFirst ? 1 : 0;
  const warmUpMs =
    warmUps * singleThreadMs(environment.handler.warmUpCpuMs, vcpuShare(choice.memoryMb, environment));
  const rate = durationRate(choice.memoryMb, options.architecture, prices);
  const waitMs = (gets > 0 ? reads.get.mean : 0) + writes.put.mean;
  const ms = { compute: call.computeMs, load: warmUpMs, transfer: transferMs + waitMs };
  const coldMs = { ...ms, compute: ms.compute + load.firstRunMs, load: ms.load + billedLoadMs };
  const warmItems = {
    ...NO_ITEMS,
    lambdaRequests: ((1 + warmUps) * prices.lambda.requests) / 1e6,
    s3Puts: writes.putDollars,
    s3Gets: gets * reads.getDollars,
    s3Bytes: demand.writeBytes * writes.uploadDollarsPerByte + readBytes * reads.downloadDollarsPerByte,
    tensorStorage: demand.writeBytes * writes.dollarsPerByteAndDay * options.intermediateRetentionDays,
    ...durationItems(ms),
  };
  const parts = Math.ceil(demand.fileBytes / (environment.handler.partMb * MIB));
  const coldItems = {
    ...warmItems,
    ...durationItems(coldMs),
    s3Gets: warmItems.s3Gets + parts * files.getDollars,
  };
  return {
    warmDollars: sumOfItems(warmItems),
    coldDollars: sumOfItems(coldItems),
    warmMs,
    loadMs: load.placementMs + billedLoadMs,
    coldMs: warmMs + load.firstRunMs,
    warmItems,
    coldItems,
  };

  function durationItems(billed: typeof ms): Partial<Record<keyof LineItems, number>> & object {
    const all = billed.compute + billed.load + billed.transfer;
    return {
      lambdaCompute: billed.compute * rate,
      lambdaLoad: billed.load * rate,
      lambdaTransfer: billed.transfer * rate,
      ephemeralStorage: all * tmpRate(demand.fileBytes, prices, environment),
    };
  }
}
