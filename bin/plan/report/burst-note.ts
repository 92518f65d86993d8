/** Says which slices are larger than the burst of their function's network, and what that costs. */
import { vcpuShare } from '../../../lib/cost/formulas/lambda';
import { beyondBurstMs } from '../../../lib/cost/formulas/network';
import type { DetailedCostModel } from '../../../lib/cost/model';
import { formatBytes } from '../../terminal/format';
import { figureText, quantity } from '../figures';
import type { ReportedSlice } from '../plan-report';

const MIB = 2 ** 20;

/** Size of slices that load within a burst of 300 MiB, with tensors and whatever else a function receives. */
const SAFE_MIB = 256;

/** The shortest wait that is worth a sentence, in milliseconds. */
const NOTICEABLE_MS = 10;

/** One sentence, or none if every slice loads within the burst or the functions are in a VPC. */
export function burstNotes({ options }: DetailedCostModel, slices: readonly ReportedSlice[]): string[] {
  const { environment, networkInVpc: inVpc, tls } = options;
  const waits = slices
    .map((slice) => {
      const vcpus = vcpuShare(slice.memoryMb, environment);
      return { ...slice, ms: beyondBurstMs(slice.fileBytes, vcpus, { inVpc, tls }, environment) };
    })
    .filter(({ ms }) => ms >= NOTICEABLE_MS);
  if (waits.length === 0) return [];
  const longest = waits.reduce((most, wait) => (wait.ms > most.ms ? wait : most));
  const { burst, sustainedRate } = environment.network;
  const mebibytes = (mib: number): string => formatBytes(mib * MIB);
  return [
    `${subjectOf(waits)} more files than a function receives in a burst, after which its network passes ` +
      `${mebibytes(sustainedRate)} a second: slice ${longest.slice} with ${formatBytes(longest.fileBytes)} therefore loads ` +
      `${figureText(quantity('milliseconds', longest.ms))} longer when cold. ` +
      `Slices of at most ${mebibytes(Math.min(SAFE_MIB, burst))} load within the burst.`,
  ];
}

function subjectOf(waits: readonly ReportedSlice[]): string {
  return waits.length === 1 ? `Slice ${waits[0].slice} has` : `${waits.length} slices have`;
}
