/** Checks a request's tensors: their types and shapes against the model's inputs, and their elements. */
import type { Dimension, TensorSpec } from '../../contract/tensors';
import { invalidInput } from '../errors';
import { quotedName } from '../json-values';
import { describeTensor, unfitReason, type RawTensor, type TensorHead } from '../tensors/tensor';

export interface RequestSpecs {
  readonly request: readonly TensorSpec[];
  readonly fixed: readonly string[];
}

/**
 * Checks that the request has exactly the required tensors. A symbolic size accepts any number, even two different
 * numbers in one request, as in ONNX Runtime: exporters give unrelated sizes the same name.
 * @throws NamedFailure `InvalidInput` for the first tensor that is missing, is unknown or does not fit
 */
export function checkRequest(specs: RequestSpecs, heads: ReadonlyMap<string, TensorHead>): void {
  refuseUnknown(specs, heads);
  for (const spec of specs.request) {
    const head = heads.get(spec.name);
    if (head === undefined) throw missing(spec, heads);
    checkFits(spec, head);
  }
}

export function checkElements(name: string, tensor: RawTensor): void {
  const unfit = unfitReason(tensor);
  if (unfit !== undefined)
    throw invalidInput(`ONNX Runtime cannot represent tensor ${quotedName(name)}: ${unfit}`, {
      tensor: name,
    });
}

function refuseUnknown({ request, fixed }: RequestSpecs, heads: ReadonlyMap<string, TensorHead>): void {
  const known = new Set(request.map((spec) => spec.name));
  for (const name of heads.keys()) {
    if (known.has(name)) continue;
    if (fixed.includes(name)) {
      throw invalidInput(`input ${quotedName(name)} has a default that cannot be overridden: leave it out`, {
        tensor: name,
      });
    }
    const expected = listed(request.map((spec) => spec.name));
    const message = `the model has no input ${quotedName(name)}: it takes ${expected}`;
    throw invalidInput(message, { tensor: name, expected });
  }
}

function missing(spec: TensorSpec, heads: ReadonlyMap<string, TensorHead>) {
  const expected = describeTensor(spec);
  const got = listed([...heads.keys()]);
  return invalidInput(`input ${quotedName(spec.name)} ${expected} is missing: the request has ${got}`, {
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
    `input ${quotedName(spec.name)} expects ${expected}, got ${got}: convert it or check the input's name`,
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
  return names.length === 0 ? 'no tensors' : names.map((name) => quotedName(name)).join(', ');
}
