/** Functions that the mutations of fields share. */
import type { Random } from './random';
import type { FieldKind, MessageName } from './schema';
import { isMessage } from './schema';
import type { Place, WireField } from './wire-tree';
import { places } from './wire-tree';

/** Changes `model` in place; may copy parts of `other`. */
export type Mutation = (random: Random, model: WireField[], other: WireField[]) => void;

export const ODD_INTEGERS = [
  0n,
  1n,
  2n,
  -1n,
  7n,
  127n,
  128n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 32n + 1n,
  2n ** 40n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

export function ofKind(model: WireField[], kinds: readonly FieldKind[]): Place[] {
  return places(model).filter(
    ({ field: { kind, content } }) =>
      kind !== undefined && kinds.includes(kind) && (!isMessage(kind) || Array.isArray(content)),
  );
}

export function contentOf({ field: { content } }: Place): Uint8Array {
  return content instanceof Uint8Array ? content : new Uint8Array();
}

/** Returns the fields of a random message of this kind. */
export function pickContent(random: Random, model: WireField[], kind: MessageName): WireField[] | undefined {
  const found = ofKind(model, [kind]);
  return found.length === 0 ? undefined : (random.pick(found).field.content as WireField[]);
}

export function change(
  random: Random,
  model: WireField[],
  kinds: readonly FieldKind[],
  apply: (each: WireField) => void,
): void {
  const candidates = ofKind(model, kinds);
  if (candidates.length > 0) apply(random.pick(candidates).field);
}
