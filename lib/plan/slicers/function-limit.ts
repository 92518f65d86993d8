/** What one function can hold. */
import { SlicedInferenceError } from '../../errors';
import type { CutSpace } from '../cuts/cuts';
import { type SliceSize, FLOOR_MEMORY_MB, ephemeralStorageMb, memoryMb } from '../sizes/estimate';
import { MAX_LAMBDA_MEMORY_MB } from '../sizes/lambda-quotas';
import type { SizeLimit } from '../search/cut-graph';

const FLOOR = `a function of a slice has ${FLOOR_MEMORY_MB} MB at least, because Node.js takes seconds to start with less`;

/** @throws SlicedInferenceError if no function of a slice has so little memory, or if none can have so much */
export function checkMemoryLimit(maxMemory: number, setting: string): void {
  if (Number.isInteger(maxMemory) && maxMemory >= FLOOR_MEMORY_MB && maxMemory <= MAX_LAMBDA_MEMORY_MB)
    return;
  throw new SlicedInferenceError(
    `${setting} must be a whole number of MB from ${FLOOR_MEMORY_MB} to ${MAX_LAMBDA_MEMORY_MB}`,
    String(maxMemory),
    maxMemory < FLOOR_MEMORY_MB ? FLOOR : 'use at most the memory that your account allows for one function',
  );
}

export interface FunctionLimit extends SizeLimit {
  readonly maxMemoryMb: number;
}

/**
 * The limits of the caller and of the environment.
 *
 * @param margin factor on the memory of activations
 */
export function functionLimit(
  space: CutSpace,
  maxMemory: number,
  setting: string,
  margin = 1,
): FunctionLimit {
  const { lambda } = space.costs.model().options.environment;
  if (lambda.maxMemoryMb < FLOOR_MEMORY_MB) {
    throw new SlicedInferenceError(
      `lambda.maxMemoryMb of the environment must be ${FLOOR_MEMORY_MB} MB or more`,
      `${lambda.maxMemoryMb} MB`,
      FLOOR,
    );
  }
  const maxMemoryMb = Math.min(maxMemory, lambda.maxMemoryMb);
  const fitsTmp = ({ weightBytes }: SliceSize): boolean => ephemeralStorageMb(weightBytes) <= lambda.maxTmpMb;
  const fitsMemory = (size: SliceSize): boolean =>
    memoryMb({ ...size, activationBytes: margin * size.activationBytes }) <= maxMemoryMb;
  return {
    maxMemoryMb,
    fits: (size) => fitsMemory(size) && fitsTmp(size),
    isHopeless: (size) => !fitsMemory({ ...size, writeBytes: 0, copiedBytes: 0 }) || !fitsTmp(size),
    describe: (size) =>
      memoryMb(size) <= maxMemoryMb
        ? {
            limit: `have at most ${lambda.maxTmpMb} MB of files`,
            got: `${ephemeralStorageMb(size.weightBytes)} MB`,
            advice: 'use a smaller model',
          }
        : {
            limit: `need at most ${maxMemoryMb} MB of memory`,
            got: `${memoryMb(size)} MB`,
            advice: `raise ${maxMemoryMb < maxMemory ? 'lambda.maxMemoryMb of the environment' : setting}`,
          },
  };
}
