/** Whether a request's tensors are those that the model asks for. */
import type { Dimension, TensorSpec } from '../../contract/tensors';
import { invalidInput } from '../errors';
import { describeTensor, type TensorHead } from '../tensors/tensor';

/** What the whole model requires, and the inputs whose default cannot be overridden. */
export interface RequestSpecs {
  readonly request: readonly TensorSpec[];
  readonly fixed: readonly string[];
}

/**
 * A symbolic size takes any number, also two in one request, as in ONNX Runtime: exporters call sizes that have
 * nothing to do with each other by one name.
 * @throws NamedFailure `InvalidInput` for the first tensor that is missing, unknown or does not fit
 */
export function checkRequest(specs: RequestSpecs, given: ReadonlyMap<string, TensorHead>): void {
  refuseUnknown(specs, given);
  for (const spec of specs.request) {
    const head = given.get(spec.name);
    if (head === undefined) throw missing(spec, given);
    checkFits(spec, head);
  }
}

function refuseUnknown({ request, fixed }: RequestSpecs, given: ReadonlyMap<string, TensorHead>): void {
  const known = new Set(request.map((spec) => spec.name));
  for (const name of given.keys()) {
    if (known.has(name)) continue;
    if (fixed.includes(name)) {
      throw invalidInput(`input '${name}' has a default that cannot be overridden: leave it out`, {
        tensor: name,
      });
    }
    throw invalidInput(
      `the model has no input '${name}': it takes ${listed(request.map((spec) => spec.name))}`,
      {
        tensor: name,
        expected: listed(request.map((spec) => spec.name)),
      },
    );
  }
}

function missing(spec: TensorSpec, given: ReadonlyMap<string, TensorHead>) {
  const expected = describeTensor(spec);
  const got = listed([...given.keys()]);
  return invalidInput(`input '${spec.name}' ${expected} is missing: the request has ${got}`, {
    tensor: spec.name,
    expected,
    got,
  });
}

function checkFits(spec: TensorSpec, head: TensorHead): void {
  const fits = head.dtype === spec.dtype && (spec.shape === null || shapeFits(spec.shape, head.shape));
  if (fits) return;
  const expected = describeTensor(spec);
  const got = describeTensor(head);
  throw invalidInput(
    `input '${spec.name}' expects ${expected}, got ${got}: convert it or check the input's name`,
    { tensor: spec.name, expected, got },
  );
}

function shapeFits(spec: readonly Dimension[], shape: readonly number[]): boolean {
  return (
    spec.length === shape.length &&
    spec.every((dimension, axis) => typeof dimension !== 'number' || dimension === shape[axis])
  );
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map((name) => `'${name}'`).join(', ');
}
