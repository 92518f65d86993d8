/** Compares the parts of a plan whose fields are valid one by one. */
import type { SourcedTensor } from '../../../contract/slice-manifest';
import type { TensorSpec } from '../../../contract/tensors';
import type { PlannedSlice, SlicePlan } from '../../plan/file/plan';
import type { Place } from './json-place';

const MIB = 2 ** 20;

/** @throws SlicedInferenceError for the first part that contradicts another one */
export function checkConsistency(plan: SlicePlan, place: Place): void {
  const inputs = byName(plan.inputs, place.field('inputs'));
  checkFixedInputs(plan.fixedInputs, inputs, place.field('fixedInputs'));
  checkAssumed(plan, place.field('assumedDimensions'));
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

type Specs = ReadonlyMap<string, TensorSpec>;

/** What the request and the slices provide. */
interface Produced {
  readonly inputs: Specs;
  /** By slice. */
  readonly outputs: readonly Specs[];
}

function byName(tensors: readonly TensorSpec[], place: Place): Specs {
  const specs = new Map<string, TensorSpec>();
  tensors.forEach((tensor, index) => {
    if (specs.has(tensor.name)) throw repeated(tensor.name, place.item(index).field('name'));
    specs.set(tensor.name, tensor);
  });
  return specs;
}

function checkFixedInputs(names: readonly string[], inputs: Specs, place: Place): void {
  const seen = new Set(inputs.keys());
  names.forEach((name, index) => {
    if (seen.has(name)) throw repeated(name, place.item(index));
    seen.add(name);
  });
}

function checkAssumed({ assumedDimensions, dimensions }: SlicePlan, place: Place): void {
  assumedDimensions.forEach((name, index) => {
    if (!Object.hasOwn(dimensions, name)) throw place.item(index).fault('be a name in dimensions', name);
  });
}

function repeated(name: string, place: Place): Error {
  return place.fault('be a name that no tensor before it has', name);
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
