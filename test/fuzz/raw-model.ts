/** Writes models field by field, including models that no encoder would write. */
import type { WireField } from './wire-tree';
import { encode, field, integer } from './wire-tree';

/** A model with these fields in its graph; `rest` are fields of the model itself. */
export function model(graph: WireField[], rest: WireField[] = []): Uint8Array {
  const opset = (domain: string, version: number): WireField =>
    field(8, [...(domain === '' ? [] : [field(1, domain)]), integer(2, version)]);
  return encode([
    integer(1, 9),
    opset('', 17),
    opset('local', 1),
    ...rest,
    field(7, [field(2, 'g'), ...graph]),
  ]);
}

export function name(index: number): string {
  return `v${index}`;
}

export function node(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: WireField[] = [],
): WireField {
  return field(1, [
    ...inputs.map((each) => field(1, each)),
    ...outputs.map((each) => field(2, each)),
    field(4, opType),
    ...attributes,
  ]);
}

function valueInfo(number: number, named: string, dim?: number): WireField {
  const shape = dim === undefined ? [] : [field(2, [field(1, [integer(1, dim)])])];
  return field(number, [field(1, named), field(2, [field(1, [integer(1, 1), ...shape])])]);
}

export function input(named: string, dim = 4): WireField {
  return valueInfo(11, named, dim);
}

export function output(named: string): WireField {
  return valueInfo(12, named);
}

export function weight(named: string): WireField {
  return field(5, [integer(1, 4), integer(2, 1), field(8, named), field(9, new Uint8Array(16))]);
}

/** A graph that computes `y` from `x` with function `index`. */
export function identity(index: number): WireField[] {
  const call = node(`F${index}`, ['x'], ['y']);
  (call.content as WireField[]).push(field(7, 'local'));
  return [call, input('x'), output('y')];
}

/** Functions `F0` to `F<count - 1>`; each is a chain of calls of other functions and one operator. */
export function functions(count: number, calls: (index: number) => readonly number[]): WireField[] {
  return Array.from({ length: count }, (_, index) => {
    const called = calls(index);
    const nodes = called.map((callee, place) => {
      const call = node(`F${callee}`, [place === 0 ? 'a' : `t${place - 1}`], [`t${place}`]);
      (call.content as WireField[]).push(field(7, 'local'));
      return call;
    });
    nodes.push(node('Neg', [called.length === 0 ? 'a' : `t${called.length - 1}`], ['b']));
    return field(25, [
      field(1, `F${index}`),
      field(4, 'a'),
      field(5, 'b'),
      ...nodes.map((each) => ({ ...each, number: 7 })),
      field(9, [integer(2, 17)]),
      field(9, [field(1, 'local'), integer(2, 1)]),
      field(10, 'local'),
    ]);
  });
}

/** Nests the nodes in `depth` levels of body graphs; each node has `bodies` copies of its body. */
export function nestedIn(nodes: WireField[], depth: number, bodies: number): WireField[] {
  let parts: Uint8Array[] = [encode(nodes)].reverse();
  let length = parts[0].length;
  const wrap = (number: number): void => {
    const head = headOf(number, length);
    parts.push(head);
    length += head.length;
  };
  for (let level = 0; level < depth; level++) {
    const before = encode([field(1, 'x'), field(2, level === depth - 1 ? 'y' : 'o'), field(4, 'If')]);
    wrap(6);
    wrap(5);
    if (bodies > 1) {
      const attribute = Buffer.concat([...parts].reverse());
      parts = Array.from({ length: bodies }, () => attribute);
      length = attribute.length * bodies;
    }
    parts.push(before);
    length += before.length;
    wrap(1);
  }
  const whole = Buffer.concat(parts.reverse());
  // `field` writes the head of the outermost node again.
  const head = headOf(1, 0).length - 1;
  return [field(1, whole.subarray(head + lengthOfLength(whole, head)))];
}

/** Returns the tag and length of a field with `length` bytes. */
export function headOf(number: number, length: number): Uint8Array {
  return encode([{ number, wireType: 2, content: new Uint8Array(), falseLength: BigInt(length) }]);
}

function lengthOfLength(bytes: Uint8Array, at: number): number {
  let count = 1;
  while (bytes[at + count - 1] >= 0x80) count++;
  return count;
}
