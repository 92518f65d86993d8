/** Completes a plan with the digests of its slice files after they are written. */
import { hash } from 'node:crypto';
import { CONTRACT_VERSION } from '../../contract/version';
import type { PlanDraft, PlannedSlice, SlicePlan } from '../plan/file/plan';

/** Hexadecimal SHA-256 of each of a slice's files. */
export interface SliceDigests {
  readonly model: string;
  readonly weights?: string;
}

export function sealPlan(draft: PlanDraft, digests: readonly SliceDigests[]): SlicePlan {
  const slices = draft.slices.map(({ nodes, model, weights, ...rest }, index): PlannedSlice => {
    const digest = digests[index];
    return {
      nodes,
      model: { ...model, sha256: digest.model },
      ...(weights && digest.weights !== undefined && { weights: { ...weights, sha256: digest.weights } }),
      ...rest,
    };
  });
  const { version, library, onnxRuntime, graphOptimization, ...rest } = draft;
  return {
    version,
    library,
    onnxRuntime,
    graphOptimization,
    planDigest: planDigest(digests),
    ...rest,
    slices,
  };
}

/** Digest of the digests of all slice files, and of the version of the contract with the functions that the files keep. */
export function planDigest(digests: readonly SliceDigests[]): string {
  const files = digests.map(({ model, weights }) => [model, weights ?? '']);
  return hash('sha256', JSON.stringify([CONTRACT_VERSION, files]));
}
