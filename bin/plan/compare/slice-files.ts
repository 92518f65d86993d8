/** The files of slices, and which of them have the same bytes. A file is read only if another one has its size. */
import { createHash } from 'node:crypto';
import { isReliable } from '../../../lib/cache/fingerprint';
import type { CompiledModel } from '../../../lib/emit/slice';
import type { Chunk, SourceFile } from '../../../lib/onnx/model';
import { chunksDigest } from '../../../lib/onnx/write-chunks';
import type { SlicePlan } from '../../../lib/plan/file/plan';

export interface SliceFile {
  readonly bytes: number;
  /** Files with the same key have the same bytes: it is their digest, or names ranges of unchanged files. Others may be the same too. */
  readonly key?: string;
  /** Hexadecimal SHA-256. Reads the bytes once, unless they are known. */
  digest(): string;
}

/** By slice: its graph, and its weights if it has a file of them. */
export type FilesOfSlices = readonly (readonly SliceFile[])[];

export function plannedFiles({ slices }: SlicePlan): FilesOfSlices {
  return slices.map(({ model, weights }) =>
    (weights ? [model, weights] : [model]).map(({ bytes, sha256 }) => ({
      ...{ bytes, key: sha256, digest: () => sha256 },
    })),
  );
}

export function compiledFiles({ plan, slices, files }: CompiledModel): FilesOfSlices {
  const isKnown = files.every(({ fingerprint }) => isReliable(fingerprint));
  const file = (chunks: readonly Chunk[], bytes: number): SliceFile => {
    let digest: string | undefined;
    const key = isKnown && { key: layoutOf(files, chunks) };
    return { bytes, ...key, digest: () => (digest ??= chunksDigest(files, chunks)) };
  };
  return plan.slices.map(({ model, weights }, slice) => [
    file(slices[slice].model, model.bytes),
    ...(weights ? [file(slices[slice].weights, weights.bytes)] : []),
  ]);
}

function layoutOf(files: readonly SourceFile[], chunks: readonly Chunk[]): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) {
    if (chunk instanceof Uint8Array) hash.update(`${chunk.length} bytes:`).update(chunk);
    else hash.update(JSON.stringify([chunk, files[chunk.file].fingerprint]));
  }
  return hash.digest('hex');
}

/** Whether one of the others has the same bytes. Asks those first that need not be read. */
export function isAmong(file: SliceFile, others: readonly SliceFile[]): boolean {
  const sameSize = others.filter(({ bytes }) => bytes === file.bytes);
  const isSure = file.key !== undefined && sameSize.some(({ key }) => key === file.key);
  return isSure || sameSize.some((other) => other.digest() === file.digest());
}
