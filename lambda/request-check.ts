/** Whether a request's tensors are those that the model asks for. */
import type { Dimension, TensorSpec } from './contract';
import { invalidInput } from './errors';
import { describeTensor, type TensorHead } from './tensor';

/** What the whole model requires, and the inputs whose default cannot be overridden. */
export interface RequestSpecs {
  readonly request: readonly TensorSpec[];
  readonly fixed: readonly string[];
}

/** @throws NamedFailure `InvalidInput` for the first tensor that is missing, unknown or does not fit. */
export function checkRequest(specs: RequestSpecs, given: ReadonlyMap<string, TensorHead>): void {
  refuseUnknown(specs, given);
  const symbols = new Map<string, Binding>();
  for (const spec of specs.request) {
    const head = given.get(spec.name);
    if (head === undefined) throw missing(spec, given);
    checkFits(spec, head);
    bindSymbols(spec, head, symbols);
  }
}

/** The size that a symbolic dimension has in this request, and the input that gave it. */
interface Binding {
  readonly size: number;
  readonly input: string;
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

function bindSymbols(spec: TensorSpec, head: TensorHead, symbols: Map<string, Binding>): void {
  spec.shape?.forEach((symbol, axis) => {
    const size = head.shape[axis];
    if (typeof symbol !== 'string') return;
    const bound = symbols.get(symbol);
    if (bound === undefined) {
      symbols.set(symbol, { size, input: spec.name });
    } else if (bound.size !== size) {
      const expected = `${symbol}=${bound.size} as in '${bound.input}'`;
      throw invalidInput(
        `input '${spec.name}' ${describeTensor(spec)} has ${symbol}=${size}, but input '${bound.input}' has ` +
          `${symbol}=${bound.size}: give them the same size`,
        { tensor: spec.name, expected, got: `${symbol}=${size}` },
      );
    }
  });
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map((name) => `'${name}'`).join(', ');
}
