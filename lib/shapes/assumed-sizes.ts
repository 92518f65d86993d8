/** Assumes sizes for the symbolic dimensions of inputs that the user has not set. The tables here are the only ones. */
import type { Dimension } from '../../contract/tensors';
import { type DimensionRole, type SizedInput, roleOf, isState, layoutOf } from './dimension-roles';
import { type DimensionSizes, dimensionName, givenSize } from './value-types';

/** What the model itself says about its sizes. */
export interface SizeHints {
  /** Height and width of a picture. */
  readonly picture?: readonly [number, number];
  /** The longest sequence that the model takes. */
  readonly maxSequence?: number;
}

/** By role: the size where neither the model nor the shape of its input says another. */
const TABLE: Readonly<Record<DimensionRole, number>> = {
  batch: 1,
  sequence: 128,
  past: 128,
  // Without a past; see `sizesOf`.
  total: 128,
  height: 640,
  width: 640,
  channels: 3,
  // Ten seconds at 16 kHz.
  samples: 160_000,
  // Ten seconds in steps of 10 ms.
  frames: 1_000,
  // Bands of a spectrogram.
  features: 80,
  items: 1,
};

/** A line of text, as text recognition takes it: its largest height, and a width. */
const MAX_LINE_HEIGHT = 64;
const LINE_WIDTH = 320;

/** Height and width of maps with more channels than a picture: features, and latent variables of pictures of 512 x 512. */
const FEATURE_MAP = 64;
const MOST_PICTURE_CHANNELS = 3;

/** Samples that a recurrent model takes at once from a stream of audio: 32 ms at 16 kHz. */
const CHUNK = 512;

interface Variant {
  readonly sizes?: Readonly<Partial<Record<DimensionRole, number>>>;
  /** Whether a total, such as the length of a mask, counts only the new tokens instead of past and new ones. */
  readonly totalsAreNew?: true;
}

/** What to try, in this order, until ONNX Runtime loads the model. */
const VARIANTS: readonly Variant[] = [
  {},
  { totalsAreNew: true },
  // A decoder that takes one token at a time.
  { sizes: { sequence: 1 } },
  // Classifiers of pictures.
  { sizes: { height: 224, width: 224 } },
  { sizes: { height: 512, width: 512, samples: CHUNK, frames: 100 } },
  // A speech detector that takes the end of the previous chunk too.
  { sizes: { sequence: 64, past: 64, height: 256, width: 256, samples: CHUNK + 64, frames: 64 } },
  { sizes: { sequence: 8, past: 8, height: 64, width: 64, samples: 256, frames: 8, features: 8 } },
  // A number of things instead of requests, such as the numbers among which `TopK` finds the largest.
  { sizes: { batch: 1_000 } },
  {
    sizes: {
      sequence: 1,
      past: 1,
      height: 1,
      width: 1,
      channels: 1,
      samples: 1,
      frames: 1,
      features: 1,
    },
    totalsAreNew: true,
  },
];

interface Place {
  readonly role: DimensionRole;
  readonly size: number;
}

/**
 * Sizes for all symbolic dimensions of the inputs, the most plausible first. Each set has the given sizes. A dimension that
 * stands at several places has the role of the first of them.
 */
export function assumedSizes(
  inputs: readonly SizedInput[],
  given: DimensionSizes,
  hints: SizeHints = {},
): DimensionSizes[] {
  const hasState = inputs.some(isState);
  const places = new Map<string, Place>();
  for (const input of inputs) {
    input.shape?.forEach((dimension, axis) => {
      const name = dimensionName(input.name, axis, dimension);
      if (name === undefined || places.has(name)) return;
      const role = roleOf(input, axis, name, inputs);
      places.set(name, { role, size: sizeOf(role, input, { hints, given, hasState }) });
    });
  }
  const sets = VARIANTS.map((variant) => sizesOf(places, given, variant));
  const different = new Map(sets.map((sizes) => [JSON.stringify(sizes), sizes]));
  return [...different.values()];
}

function sizesOf(
  places: ReadonlyMap<string, Place>,
  given: DimensionSizes,
  { sizes = {}, totalsAreNew }: Variant,
): DimensionSizes {
  const chosen = Object.fromEntries(
    [...places].map(([name, { role, size }]) => [name, givenSize(given, name) ?? sizes[role] ?? size]),
  );
  const nameOf = (wanted: DimensionRole): string | undefined =>
    [...places.keys()].find((name) => places.get(name)?.role === wanted && !isSum(name));
  const past = totalsAreNew ? 0 : (givenSize(chosen, nameOf('past')) ?? 0);
  const fresh = givenSize(chosen, nameOf('sequence')) ?? TABLE.sequence;
  const withTotals = Object.fromEntries(
    [...places].map(([name, { role }]) => {
      const isGiven = givenSize(given, name) !== undefined;
      return [name, role === 'total' && !isGiven ? past + fresh : chosen[name]];
    }),
  );
  return Object.fromEntries(
    Object.entries(withTotals).map(([name, size]) => [
      name,
      givenSize(given, name) ?? statedSize(name, withTotals) ?? size,
    ]),
  );
}

function sizeOf(
  role: DimensionRole,
  input: SizedInput,
  { hints, given, hasState }: { hints: SizeHints; given: DimensionSizes; hasState: boolean },
): number {
  switch (role) {
    case 'sequence':
    case 'past':
      return Math.min(TABLE[role], hints.maxSequence ?? Infinity);
    case 'samples':
      return hasState ? CHUNK : TABLE.samples;
    case 'height':
    case 'width':
      return pictureSide(role, input, hints, given);
    default:
      return TABLE[role];
  }
}

function pictureSide(
  role: 'height' | 'width',
  input: SizedInput,
  hints: SizeHints,
  given: DimensionSizes,
): number {
  const shape = input.shape ?? [];
  const layout = layoutOf(input);
  const sizeAt = (axis: number): Dimension => {
    const name = dimensionName(input.name, axis, shape.at(axis) ?? null);
    return axis < 0 ? null : (givenSize(given, name) ?? shape[axis]);
  };
  const other = sizeAt(layout.indexOf(role === 'height' ? 'width' : 'height'));
  if (typeof other === 'number') return role === 'width' && other <= MAX_LINE_HEIGHT ? LINE_WIDTH : other;
  const channels = sizeAt(layout.indexOf('channels'));
  const isMap = typeof channels === 'number' && channels > MOST_PICTURE_CHANNELS;
  if (isMap || /latent|^sample$/i.test(input.name)) return FEATURE_MAP;
  return hints.picture?.[role === 'height' ? 0 : 1] ?? TABLE[role];
}

/** Longest name that is read, in characters. Longer names are names like any other. */
const MAX_NAME = 256;

/** A hyphen is an operator only between spaces or before a number at the end, as names such as `batch-size` have hyphens. */
const OPERATORS = /(\+|(?<=\s)-(?=\s)|-(?=\s*\d+\s*$))/;

/** Whether the name has operators, so that it is not the name of one dimension. `seq-1` may be one. */
function isSum(name: string): boolean {
  return /[+*/]|\s-\s/.test(name);
}

/**
 * The size that a name such as `past_sequence_length + sequence_length - 1` states; `undefined` for another name, and for one with an
 * unknown part. The least size is 1.
 *
 * @param sizes sizes of the dimensions that the name may mention
 */
export function statedSize(name: string, sizes: DimensionSizes): number | undefined {
  const parts = name.length > MAX_NAME ? [] : name.split(OPERATORS).map((part) => part.trim());
  if (parts.length < 2) return undefined;
  const sum = parts.reduce((known, part, index) => {
    if (index % 2 === 1) return known;
    const size = /^\d{1,9}$/.test(part) ? Number(part) : (givenSize(sizes, part) ?? NaN);
    return parts[index - 1] === '-' ? known - size : known + size;
  }, 0);
  return Number.isFinite(sum) ? Math.max(1, sum) : undefined;
}
