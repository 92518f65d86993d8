/** Checks a parsed `plan.json`, which may come from a stranger, and returns a copy of what was checked. */
import { CONTRACT_VERSION } from '../../../contract/version';
import { planDigest } from '../../emit/seal-plan';
import { type SlicePlan, PLAN_VERSION } from '../../plan/file/plan';
import { checkConsistency } from './plan-consistency';
import { Place, described } from './json-place';
import { MODEL, planOf, slicesOf } from './plan-schema';

export const BE_A_PLAN = `be a plan.json of version ${PLAN_VERSION}`;
export const MAKE = 'make one with `sliced-inference slice`';

/**
 * @param name path of the plan file
 * @throws SlicedInferenceError for the first field that is unknown, missing, of another kind, out of range, or in
 * contradiction to another field
 */
export function checkPlan(value: unknown, name: string): SlicePlan {
  const place = Place.root(name);
  const parts = (value ?? {}) as { readonly [Name in keyof SlicePlan]?: unknown };
  checkVersion(parts, place);
  const { nodes } = MODEL(parts.model, place.field('model'));
  const { length } = slicesOf(nodes)(parts.slices, place.field('slices'));
  const plan = planOf(nodes, length)(value, place);
  checkConsistency(plan, place);
  checkDigest(plan, place);
  return plan;
}

/** Whether slices of this plan keep the contract of the functions that this version of the library deploys. */
export function isOfThisContract({ planDigest: digest, slices }: SlicePlan): boolean {
  return digest === digestOf(slices, CONTRACT_VERSION);
}

function checkVersion({ version, library }: { version?: unknown; library?: unknown }, place: Place): void {
  if (version === PLAN_VERSION) return;
  if (version === undefined) throw place.faultOf(BE_A_PLAN, 'other content', MAKE);
  const writer =
    typeof library === 'string' ? `, written by version ${described(library)} of the library` : '';
  throw place.faultOf(
    BE_A_PLAN,
    `version ${described(version)}${writer}`,
    typeof version === 'number' && version > PLAN_VERSION
      ? 'update cdk-sliced-inference, or slice the model again with the version that you have'
      : 'slice the model again with this version of the library',
  );
}

/** A plan of an earlier contract is still good for its cuts. */
function checkDigest({ planDigest: digest, slices }: SlicePlan, place: Place): void {
  for (let contract = CONTRACT_VERSION; contract >= 1; contract--) {
    if (digest === digestOf(slices, contract)) return;
  }
  throw place.field('planDigest').fault("be the digest of the slices' digests", digest);
}

function digestOf(slices: SlicePlan['slices'], contract: number): string {
  const digests = slices.map(({ model, weights }) => ({
    model: model.sha256,
    ...(weights && { weights: weights.sha256 }),
  }));
  return planDigest(digests, contract);
}
