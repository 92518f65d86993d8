/** What a slice asks of its function. */
import type { SliceDemand } from '../../cost/cost-model';
import { type SliceSize, fileBytes, memoryMb } from '../sizes/estimate';

/** @param outputSecondsPerByte seconds on one vCPU to write a byte of its outputs */
export function demandOf(size: SliceSize, outputSecondsPerByte: number): SliceDemand {
  return {
    fileBytes: fileBytes(size),
    coreSeconds: size.coreSeconds + outputSecondsPerByte * size.writeBytes,
    readTensors: size.readTensors,
    readBytes: size.readBytes,
    writeBytes: size.writeBytes,
    memoryMb: memoryMb(size),
  };
}
