/** Assumes sizes for the symbolic dimensions of inputs that the user has not set. The tables here are the only ones. */
import type { Dimension } from '../../contract/tensors';
import type { DimensionRole } from './dimension-names';
import { statedRole } from './dimension-names';
import type { SizedInput } from './input-layout';
import { isFloat, isState, layoutOf } from './input-layout';
import type { DimensionSizes } from './value-types';
import { dimensionName, givenSize } from './value-types';

/** What the model itself says about its sizes. */
export interface SizeHints {
  /** Height and width of a picture. */
  readonly picture?: readonly [number, number];
  readonly batch?: number;
  /** The longest sequence that the model takes. */
  readonly maxSequence?: number;
  /** Samples of audio per second. */
  readonly sampleRate?: number;
}

/** An utterance of ten seconds, and a rate that speech models take, in Hz. */
const UTTERANCE_SECONDS = 10;
const SAMPLE_RATE = 16_000;

/** By role: the size where neither the model nor the shape of its input says another. */
const TABLE: Readonly<Record<DimensionRole, number>> = {
  batch: 1,
  sequence: 128,
  past: 128,
  // The past tokens and the new ones.
  total: 256,
  height: 640,
  width: 640,
  channels: 3,
  samples: UTTERANCE_SECONDS * SAMPLE_RATE,
  // Ten seconds in steps of 10 ms.
  frames: 1_000,
  // Bands of a spectrogram.
  features: 80,
  clip: 16,
  items: 1,
};

/** A line of text, as text recognition takes it: its largest height, and a width. */
const MAX_LINE_HEIGHT = 64;
const LINE_WIDTH = 320;

/** Height and width of maps with more channels than a picture: features, and latent variables of pictures of 512 x 512. */
const FEATURE_MAP = 64;
const MOST_PICTURE_CHANNELS = 3;

/** Height and width of the pictures of a video. */
const VIDEO_PICTURE = 224;

/** Samples that a recurrent model takes at once from a stream of audio: 32 ms at 16 kHz. */
const CHUNK = 512;

/** Sizes that replace those of the table, in this order, if ONNX Runtime refuses the model with the table's sizes. */
const FALLBACKS: readonly Readonly<Partial<Record<DimensionRole, number>>>[] = [
  // A mask that covers only the new tokens.
  { total: TABLE.sequence },
  // A decoder that takes one token at a time.
  { sequence: 1, total: TABLE.past + 1 },
  // Classifiers of pictures.
  { height: 224, width: 224 },
  { height: 512, width: 512, samples: CHUNK, frames: 100 },
  // A speech detector that takes the end of the previous chunk too.
  { sequence: 64, past: 64, height: 256, width: 256, samples: CHUNK + 64, frames: 64 },
  { sequence: 8, past: 8, total: 16, height: 64, width: 64, samples: 256, frames: 8, features: 8 },
  // A number of things instead of requests, such as the numbers among which `TopK` finds the largest.
  { batch: 128 },
  { sequence: 1, past: 1, total: 1, height: 1, width: 1, channels: 1, samples: 1, frames: 1, features: 1, clip: 1 },
];

interface Place {
  readonly role: DimensionRole;
  readonly size: number;
}

/**
 * Sizes for all symbolic dimensions of the inputs, the most plausible first. Each set has the given sizes. A dimension that
 * stands at several places has the size of the first of them.
 */
export function assumedSizes(
  inputs: readonly SizedInput[],
  given: DimensionSizes,
  hints: SizeHints = {},
): DimensionSizes[] {
  const places = new Map<string, Place>();
  const surroundings = { inputs, hints, given };
  for (const input of inputs) {
    input.shape?.forEach((dimension, axis) => {
      const name = dimensionName(input.name, axis, dimension);
      if (name === undefined || places.has(name) || givenSize(given, name) !== undefined) return;
      const role = roleOf(input, axis, name, inputs);
      places.set(name, { role, size: sizeOf(role, input, surroundings) });
    });
  }
  const sets = [{}, ...FALLBACKS].map((replaced: (typeof FALLBACKS)[number]) => {
    const sizes = Object.fromEntries(
      [...places].map(([name, { role, size }]) => [name, replaced[role] ?? size]),
    );
    return { ...withSums(sizes, given), ...given };
  });
  const different = new Map(sets.map((sizes) => [JSON.stringify(sizes), sizes]));
  return [...different.values()];
}

/** The role that the dimension's name states, or else the one of its position. */
function roleOf(input: SizedInput, axis: number, name: string, inputs: readonly SizedInput[]): DimensionRole {
  const stated = statedRole(name);
  const byPosition = layoutOf(input)[axis];
  if (stated === undefined) {
    const isPiece = byPosition === 'features' && input.shape?.length === 2 && inputs.some(isState);
    return isPiece ? 'samples' : byPosition;
  }
  // In a matrix of floats, a sequence or time counts samples of sound, unless another input has the tokens.
  const isMatrix = input.shape?.length === 2 && axis === 1 && isFloat(input);
  if (isMatrix && ['sequence', 'frames'].includes(stated) && !inputs.some((each) => !isFloat(each) && each.shape?.length === 2))
    return 'samples';
  if (stated === 'frames') {
    if ((input.shape?.length ?? 0) >= 5) return 'clip';
    return isFloat(input) ? 'frames' : 'sequence';
  }
  return stated;
}

interface Surroundings {
  readonly inputs: readonly SizedInput[];
  readonly hints: SizeHints;
  readonly given: DimensionSizes;
}

/** The size of a dimension with this role. What the model says goes before the table. */
function sizeOf(role: DimensionRole, input: SizedInput, { inputs, hints, given }: Surroundings): number {
  switch (role) {
    case 'batch':
      return hints.batch ?? TABLE.batch;
    case 'sequence':
    case 'past':
      return Math.min(fixedSequence(inputs) ?? TABLE[role], hints.maxSequence ?? Infinity);
    case 'samples':
      return inputs.some(isState) ? CHUNK : UTTERANCE_SECONDS * (hints.sampleRate ?? SAMPLE_RATE);
    case 'height':
    case 'width':
      return pictureSide(role, input, { inputs, hints, given });
    default:
      return TABLE[role];
  }
}

function pictureSide(role: 'height' | 'width', input: SizedInput, { inputs, hints, given }: Surroundings): number {
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
  if (shape.length > 4) return VIDEO_PICTURE;
  if (hints.picture) return hints.picture[role === 'height' ? 0 : 1];
  return fixedSide(role, inputs) ?? TABLE[role];
}

/** The height or width of another picture. */
function fixedSide(role: 'height' | 'width', inputs: readonly SizedInput[]): number | undefined {
  return inputs
    .filter(({ shape }) => shape?.length === 4)
    .map((input) => input.shape?.[layoutOf(input).indexOf(role)])
    .find((size) => typeof size === 'number');
}

/** The length of another input of tokens. */
function fixedSequence(inputs: readonly SizedInput[]): number | undefined {
  return inputs
    .filter((input) => !isFloat(input) && input.shape?.length === 2)
    .map(({ shape }) => shape?.[1])
    .find((size) => typeof size === 'number' && size > 1) as number | undefined;
}

/** Computes dimensions that exporters name by a sum or a quotient of others, such as `past_sequence_length + 1`. */
function withSums(sizes: DimensionSizes, given: DimensionSizes): DimensionSizes {
  const sizeOfTerm = (term: string): number | undefined =>
    /^\d{1,9}$/.test(term) ? Number(term) : (givenSize(given, term) ?? givenSize(sizes, term));
  return Object.fromEntries(
    Object.entries(sizes).map(([name, size]) => {
      const [left, operator, right] = name.split(/ *([+*/]) */);
      const [a, b] = [sizeOfTerm(left), right === undefined ? undefined : sizeOfTerm(right)];
      if (a === undefined || b === undefined) return [name, size];
      if (operator === '+') return [name, a + b];
      return [name, Math.max(1, operator === '*' ? a * b : Math.floor(a / b))];
    }),
  );
}
