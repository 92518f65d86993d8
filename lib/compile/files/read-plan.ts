/** Reads and checks a `plan.json`, whose content may come from a stranger. */
import { readText } from '../../host/read-text';
import { type SlicePlan, type PlannedSlice, PLAN_VERSION } from '../../plan/file/plan';
import { Place, jsonOf, described } from '../../json-readers';
import { planDigest } from '../../emit/seal-plan';
import { MODEL, planOf, slicesOf } from './plan-schema';
import type { SourcedTensor } from '../../../contract/slice-manifest';
import type { TensorSpec } from '../../../contract/tensors';

const MIB = 2 ** 20;

/** Largest plan file. A plan of 1,000 slices that read 50 tensors each has about 10 MB. */
export const MAX_PLAN_BYTES = 64 * 2 ** 20;

export function readPlan(path: string): SlicePlan {
  const text = readText(path, 'plan', MAX_PLAN_BYTES, 'pass the path of its plan.json');
  return checkPlan(jsonOf(text, Place.root(path), BE_A_PLAN, MAKE), path);
}

const BE_A_PLAN = `be a plan.json of version ${PLAN_VERSION}`;
export const MAKE = 'make one with `sliced-inference slice`';

/** @param name path of the plan file */
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

function checkDigest({ planDigest: digest, slices }: SlicePlan, place: Place): void {
  const digests = slices.map(({ model, weights }) => ({
    model: model.sha256,
    ...(weights && { weights: weights.sha256 }),
  }));
  if (digest === planDigest(digests)) return;
  throw place.field('planDigest').fault("be the digest of the slices' digests", digest);
}

function checkConsistency(plan: SlicePlan, place: Place): void {
  const { dimensions, assumedDimensions } = plan;
  checkSplits(plan, place);
  assumedDimensions.forEach((name, index) => {
    const at = place.field('assumedDimensions').item(index);
    if (!Object.hasOwn(dimensions, name)) throw at.fault('be a name in dimensions', name);
  });
  const inputs = byName(plan.inputs, place.field('inputs'));
  const slices = place.field('slices');
  checkNodes(plan.slices, slices);
  const outputs = plan.slices.map((slice, index) =>
    byName(slice.outputs, slices.item(index).field('outputs')),
  );
  const produced: Produced = { inputs, outputs };
  plan.slices.forEach((slice, index) => {
    checkSources(slice.inputs, produced, slices.item(index).field('inputs'));
    checkStorage(slice, slices.item(index).field('ephemeralStorageMb'));
  });
  checkSources(plan.outputs, produced, place.field('outputs'));
}

/** Each operator is split once, and each part is a node of the graph that was cut. */
function checkSplits({ splits = [], model }: SlicePlan, place: Place): void {
  let parts = 0;
  splits.forEach((split, index) => {
    const at = place.field('splits').item(index);
    if (index > 0 && split.node <= splits[index - 1].node)
      throw at.field('node').fault('be larger than that of the split before it', split.node);
    parts += split.parts.length;
    if (parts > model.nodes)
      throw at.field('parts').fault(`be nodes of the ${model.nodes} of the model`, split.parts);
  });
}

type Specs = ReadonlyMap<string, TensorSpec>;

interface Produced {
  readonly inputs: Specs;
  readonly outputs: readonly Specs[];
}

function byName(tensors: readonly TensorSpec[], place: Place): Specs {
  const specs = new Map<string, TensorSpec>();
  tensors.forEach((tensor, index) => {
    if (specs.has(tensor.name)) {
      throw place.item(index).field('name').fault('be a name that no tensor before it has', tensor.name);
    }
    specs.set(tensor.name, tensor);
  });
  return specs;
}

function checkSources(tensors: readonly SourcedTensor[], { inputs, outputs }: Produced, place: Place): void {
  byName(tensors, place);
  tensors.forEach((tensor, index) => {
    const { source } = tensor;
    const provider = source.from === 'request' ? 'the request' : `slice ${source.slice}`;
    const given = (source.from === 'request' ? inputs : outputs[source.slice]).get(tensor.name);
    const at = place.item(index);
    if (given === undefined)
      throw at.field('name').fault(`be a tensor that ${provider} provides`, tensor.name);
    if (given.dtype !== tensor.dtype) {
      throw at.field('dtype').fault(`be ${given.dtype}, as ${provider} provides it`, tensor.dtype);
    }
    if (JSON.stringify(given.shape) === JSON.stringify(tensor.shape)) return;
    throw at.field('shape').fault(`be the shape that ${provider} provides`, tensor.shape);
  });
}

/** Each node is in one slice at most, so the slices' nodes are no more than the model's. */
function checkNodes(slices: readonly PlannedSlice[], place: Place): void {
  const runs = slices.flatMap(({ nodes }, slice) => {
    const at = place.item(slice).field('nodes');
    if (nodes.length === 0 && slices.length > 1) {
      throw at.faultOf('list a node, because each of several slices runs one', 'none');
    }
    return nodes.map(([first, last], index) => ({ first, last, at: at.item(index) }));
  });
  runs.sort((a, b) => a.first - b.first);
  runs.forEach(({ first, at }, index) => {
    if (index === 0 || runs[index - 1].last < first) return;
    throw at.faultOf('list nodes that no other part of a slice lists', `node ${first} twice`);
  });
}

function checkStorage({ model, weights, ephemeralStorageMb }: PlannedSlice, place: Place): void {
  const bytes = model.bytes + (weights?.bytes ?? 0);
  if (ephemeralStorageMb * MIB >= bytes) return;
  throw place.fault(`hold the slice's files of ${bytes} bytes`, ephemeralStorageMb);
}
