/** Recognizes what an input is by its type, its fixed dimensions and its name, and so what its open dimensions are. */
import type { Dimension } from '../../contract/tensors';

/** The role of a dimension in its input. A `clip` counts the pictures of a video; `items` counts things such as boxes. */
export type DimensionRole =
  | 'batch'
  | 'sequence'
  | 'past'
  | 'total'
  | 'height'
  | 'width'
  | 'channels'
  | 'samples'
  | 'frames'
  | 'features'
  | 'clip'
  | 'items';

/** An input that a request provides. */
export interface SizedInput {
  readonly name: string;
  readonly dtype?: string;
  /** `null` when the model declares no rank. */
  readonly shape: readonly Dimension[] | null;
}

/** Numbers of channels of a picture: gray, color, and color with transparency. */
const PICTURE_CHANNELS: readonly unknown[] = [1, 3, 4];

/** Least and most bands of a spectrogram. */
const MIN_BANDS = 20;
const MAX_BANDS = 256;

type Layout = readonly DimensionRole[];

/** By axis: the role of each dimension of the input. */
export function layoutOf(input: SizedInput): Layout {
  const shape = input.shape ?? [];
  switch (shape.length) {
    case 0:
      return [];
    case 1:
      return ['batch'];
    case 2:
      return ['batch', isFloat(input) ? (isAudio(input) ? 'samples' : 'features') : 'sequence'];
    case 3:
      return threeAxes(input, shape);
    case 4:
      return fourAxes(input, shape);
    default:
      return manyAxes(shape);
  }
}

/** Whether the input is the state of a recurrent network: layers, batch and width. */
export function isState({ shape }: SizedInput): boolean {
  if (shape?.length !== 3) return false;
  return typeof shape[0] === 'number' && typeof shape[1] !== 'number' && typeof shape[2] === 'number';
}

/** Whether the input is a matrix of integers: ids of tokens, or a mask. */
export function isTokens(input: SizedInput): boolean {
  return !isFloat(input) && input.shape?.length === 2;
}

export function isFloat({ dtype = '' }: SizedInput): boolean {
  return /^b?float/.test(dtype);
}

function threeAxes(input: SizedInput, shape: readonly Dimension[]): Layout {
  if (!isFloat(input) && input.dtype !== 'uint8') return ['batch', 'sequence', 'sequence'];
  const [first, second, third] = shape;
  if (isState(input)) {
    // Of three dimensions only the middle one is open in a picture of 3 x H x 640 too, which nobody exports.
    return ['items', 'batch', 'features'];
  }
  if (isChannels(first) && isOpen(second) && isOpen(third)) return ['channels', 'height', 'width'];
  if (isChannels(third) && isOpen(first) && isOpen(second) && input.dtype === 'uint8')
    return ['height', 'width', 'channels'];
  if (second === 1) return ['batch', 'channels', 'samples'];
  if (typeof second === 'number' && isOpen(third)) {
    return ['batch', 'features', second >= MIN_BANDS && second <= MAX_BANDS ? 'frames' : 'sequence'];
  }
  return ['batch', 'sequence', 'features'];
}

function fourAxes({ name }: SizedInput, shape: readonly Dimension[]): Layout {
  if (/past|cache|[._]key|[._]value/i.test(name)) return ['batch', 'items', 'past', 'features'];
  const isLast = isChannels(shape[3]) && !isChannels(shape[1]);
  return isLast ? ['batch', 'height', 'width', 'channels'] : ['batch', 'channels', 'height', 'width'];
}

/** Videos and volumes. */
function manyAxes(shape: readonly Dimension[]): Layout {
  const isByFrame = isChannels(shape[2]) && !isChannels(shape[1]);
  const start: Layout = isByFrame ? ['batch', 'clip', 'channels'] : ['batch', 'channels', 'clip'];
  return shape.map((_, axis) => start.at(axis) ?? (axis === shape.length - 1 ? 'width' : 'height'));
}

/** Whether the input's name says that it holds samples of sound. */
function isAudio({ name }: SizedInput): boolean {
  return /audio|wav|speech|pcm|sound|signal|samples|^input_values$/i.test(name);
}

function isOpen(dimension: Dimension): boolean {
  return typeof dimension !== 'number';
}

function isChannels(dimension: Dimension): boolean {
  return PICTURE_CHANNELS.includes(dimension);
}
