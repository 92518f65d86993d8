import type { RawTensor } from '../../lambda/tensors/tensor';

export type NamedTensors = ReadonlyMap<string, RawTensor>;

export function sameTensors(a: NamedTensors, b: NamedTensors): boolean {
  return a.size === b.size && [...a].every(([name, tensor]) => sameTensor(tensor, b.get(name)));
}

/** Whether type, shape and all bits are the same. */
function sameTensor(a: RawTensor | undefined, b: RawTensor | undefined): boolean {
  if (a === undefined || a.dtype !== b?.dtype || a.shape.join() !== b.shape.join()) return false;
  if ('strings' in a) return 'strings' in b && JSON.stringify(a.strings) === JSON.stringify(b.strings);
  return 'bytes' in b && Buffer.compare(a.bytes, b.bytes) === 0;
}
