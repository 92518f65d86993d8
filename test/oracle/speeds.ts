/** How long a function takes for parts of its work, in milliseconds without random delays, by the words of docs/costs.md. */
import { constant, pairs } from './constants';
import { at } from './delays';
import type { Fn } from './deployment';

const MIB = 2 ** 20;

/** Writing the outputs of a session into new memory: lib/compute-time says 2.1 GB/s. `coreSeconds` of `plan --json` lacks it. */
const OUTPUT_BYTES_PER_SECOND = 2.1e9;

/** A function of m MB has m / 1,769 vCPUs. */
const vcpusOf = ({ memoryMb }: Fn): number => memoryMb / constant('lambda.mbPerVcpu');

/** Node.js uses one vCPU at most. */
export const nodeMs = (fn: Fn, cpuMs: number): number => cpuMs / Math.min(1, vcpusOf(fn));

/** ONNX Runtime computes with the threads or the vCPUs, whichever are fewer. Above 1, the serial share has one thread. */
export function computingMs(fn: Fn, coreSeconds: number, writtenBytes: number): number {
  const seen = pairs('lambda.visibleVcpus').find(([most]) => fn.memoryMb <= most)?.[1] ?? 6;
  const workers = Math.min(fn.threads, seen, vcpusOf(fn));
  const work =
    1000 * (coreSeconds + writtenBytes / OUTPUT_BYTES_PER_SECOND) * constant('processor.computing');
  if (workers <= 1) return work / workers;
  const serial = constant('processor.serialShare');
  return work * serial + (work * (1 - serial)) / workers;
}

/**
 * The time of the network or of the processor, whichever is longer. The burst passes at the full rate: the half of it that does not refill,
 * and then the half that does, which refills while it is drawn from. What is left passes at the sustained rate.
 */
export function transferMs(fn: Fn, bytes: number): number {
  if (bytes === 0) return 0;
  const connections = Math.min(
    constant('handler.connections'),
    Math.ceil(bytes / (constant('handler.partMb') * MIB)),
  );
  const processor = 1e9 / nodeMs(fn, constant('network.cpu'));
  const full = Math.min(
    constant('network.burstRate') * MIB,
    connections * constant('s3.connectionRate') * 1e6,
    processor,
  );
  if (fn.inVpc) return (1000 * bytes) / Math.min(full, constant('network.vpcRate') * MIB);
  const sustained = Math.min(full, constant('network.sustainedRate') * MIB);
  const refilling = constant('network.burst') * MIB * constant('network.refill');
  const fixed = constant('network.burst') * MIB - refilling;
  // While n bytes pass at the full rate, n * sustained / full bytes come back.
  const quick = sustained === full ? Infinity : fixed + refilling / (1 - sustained / full);
  const fast = Math.min(bytes, quick);
  return 1000 * (fast / full + (bytes - fast) / sustained);
}

/** Standard transitions take longer for a larger event, linearly between the measured sizes. */
export function eventMs(isExpress: boolean, characters: number): number {
  if (isExpress || characters === 0) return 0;
  const sizes = [
    [32, 'standard32B'],
    [1024, 'standard1KiB'],
    [16 * 1024, 'standard16KiB'],
    [64 * 1024, 'standard64KiB'],
    [256 * 1024, 'standard256KiB'],
  ] as const;
  const medians = sizes.map(([bytes, name]) => [bytes, at(pairs(`stepFunctions.${name}`), 50)] as const);
  const own = constant('stepFunctions.eventBytes');
  return at(medians, own + characters) - at(medians, own);
}
