/** Checks the fields of a plan that this library uses. */
import { SLICE_FILE } from '../../../contract/keys';
import type { PlannedFile, PlannedSlice, SlicePlan } from './plan';
import { PLAN_VERSION } from './plan';

const SHA256 = /^[0-9a-f]{64}$/;

export function isPlan(value: unknown): value is SlicePlan {
  const plan = value as Partial<SlicePlan> | null | undefined;
  if (typeof plan !== 'object' || plan?.version !== PLAN_VERSION) return false;
  const isIndex = (index: unknown): boolean => Number.isSafeInteger(index) && Number(index) >= 0;
  return (
    typeof plan.model?.graphDigest === 'string' &&
    Array.isArray(plan.slices) &&
    plan.slices.every(
      (slice: Partial<PlannedSlice> | null) =>
        slice !== null &&
        isPlannedFile(slice.model) &&
        (slice.weights === undefined || isPlannedFile(slice.weights)) &&
        Array.isArray(slice.nodes) &&
        slice.nodes.every((run: unknown) => {
          if (!Array.isArray(run) || run.length !== 2 || !run.every(isIndex)) return false;
          const [first, last] = run as [number, number];
          return first <= last && last < (plan.model?.nodes ?? 0);
        }),
    )
  );
}

function isPlannedFile(value: unknown): value is PlannedFile {
  const planned = value as { file?: unknown; bytes?: unknown; sha256?: unknown } | null | undefined;
  return (
    typeof planned?.file === 'string' &&
    SLICE_FILE.test(planned.file) &&
    Number.isSafeInteger(planned.bytes) &&
    typeof planned.sha256 === 'string' &&
    SHA256.test(planned.sha256)
  );
}
