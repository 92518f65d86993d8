/** Decides what a symbolic dimension of an input is: by the name that an exporter gave it, or else by its position. */
import type { Dimension } from '../../contract/tensors';

/**
 * By role: the words of names, in lower case. A name is split into words at punctuation, digits and capital letters. The first
 * role with a word of the name wins: `past_sequence_length` is the past, and `max_seq_len_in_batch` is a sequence.
 */
const WORDS: readonly (readonly [DimensionRole, readonly string[]])[] = [
  ['past', ['past', 'cache', 'history', 'memory']],
  ['total', ['total', 'kv', 'everything']],
  ['samples', ['samples', 'audio', 'wave', 'waveform', 'pcm']],
  ['sequence', ['sequence', 'sequences', 'seq', 'seqlen', 'tokens', 'token', 'length', 'len']],
  ['batch', ['batch', 'bs', 'bsz', 'nbatch', 'beam', 'beams']],
  ['height', ['height']],
  ['width', ['width']],
  ['channels', ['channels', 'channel']],
  ['frames', ['frames', 'frame', 'time', 'times', 'timesteps', 'timestep', 'steps']],
  ['features', ['features', 'feature', 'feats', 'feat', 'mels', 'mel', 'bins']],
  ['items', ['boxes', 'rois', 'points', 'nodes', 'edges', 'choices', 'images', 'objects', 'crops']],
  ['sequence', ['text', 'words', 'chars', 'prompt']],
];

/** What names of one letter mean in papers. */
const LETTERS: ReadonlyMap<string, DimensionRole> = new Map([
  ['n', 'batch'],
  ['b', 'batch'],
  ['c', 'channels'],
  ['h', 'height'],
  ['w', 'width'],
  ['l', 'sequence'],
  ['s', 'sequence'],
  ['t', 'frames'],
]);

/**
 * The role that a name states; `undefined` for names that exporters number, such as `unk__214`, `p2o.DynamicDimension.0`,
 * `input_dynamic_axes_1`, `s0` and `None`.
 */
export function statedRole(name: string): DimensionRole | undefined {
  if (/dynamic_?(axes|dimension)|^unk__|^sym_size|^dim_?\d*$|\[\d+\]$/i.test(name)) return undefined;
  const words = name
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '');
  // A number after a letter is a counter: PyTorch calls any dimension `s0`.
  if (words.length === 1 && words[0].length === 1) return /\d/.test(name) ? undefined : LETTERS.get(words[0]);
  if (/batch_?(size|dim)/i.test(name)) return 'batch';
  return WORDS.find(([, known]) => words.some((word) => known.includes(word)))?.[0];
}

/**
 * The role of dimension `axis` of an input.
 *
 * @param name the name of the dimension in `DimensionSizes`
 * @param inputs all inputs of the model
 */
export function roleOf(
  input: SizedInput,
  axis: number,
  name: string,
  inputs: readonly SizedInput[],
): DimensionRole {
  const stated = statedRole(name);
  const byPosition = layoutOf(input)[axis];
  const role = stated ?? byPosition;
  // In a matrix of floats, a sequence counts samples of sound, unless another input has the tokens.
  const isColumn = input.shape?.length === 2 && axis === 1 && isFloat(input);
  if (stated === undefined) return isColumn && inputs.some(isState) ? 'samples' : role;
  if (isColumn && (role === 'sequence' || role === 'frames') && !inputs.some(isTokens)) return 'samples';
  if (role !== 'frames') return role;
  return isFloat(input) ? 'frames' : 'sequence';
}

/** The role of a dimension in its input. `items` counts things such as boxes. */
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
  | 'items';

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
    default:
      return fourAxes(input, shape);
  }
}

/** Whether the input is the state of a recurrent network: layers, batch and width. */
export function isState({ shape }: SizedInput): boolean {
  if (shape?.length !== 3) return false;
  return typeof shape[0] === 'number' && typeof shape[1] !== 'number' && typeof shape[2] === 'number';
}

/** Whether the input is a matrix of integers: ids of tokens, or a mask. */
function isTokens(input: SizedInput): boolean {
  return !isFloat(input) && input.shape?.length === 2;
}

function isFloat({ dtype = '' }: SizedInput): boolean {
  return /^b?float/.test(dtype);
}

function threeAxes(input: SizedInput, shape: readonly Dimension[]): Layout {
  if (!isFloat(input)) return ['batch', 'sequence', 'sequence'];
  const [, second, third] = shape;
  if (isState(input)) return ['items', 'batch', 'features'];
  if (second === 1) return ['batch', 'channels', 'samples'];
  if (typeof second === 'number' && isOpen(third)) {
    return ['batch', 'features', second >= MIN_BANDS && second <= MAX_BANDS ? 'frames' : 'sequence'];
  }
  return ['batch', 'sequence', 'features'];
}

/** Axes beyond four count things, such as the pictures of a video. */
function fourAxes({ name }: SizedInput, shape: readonly Dimension[]): Layout {
  if (/past|cache|[._]key|[._]value/i.test(name)) return ['batch', 'items', 'past', 'features'];
  const isLast = isChannels(shape[3]) && !isChannels(shape[1]);
  const things = shape.slice(4).map((): DimensionRole => 'items');
  return isLast
    ? ['batch', ...things, 'height', 'width', 'channels']
    : ['batch', 'channels', ...things, 'height', 'width'];
}

function isAudio({ name }: SizedInput): boolean {
  return /audio|wav|speech|pcm|sound|signal|samples|^input_values$/i.test(name);
}

function isOpen(dimension: Dimension): boolean {
  return typeof dimension !== 'number';
}

function isChannels(dimension: Dimension): boolean {
  return PICTURE_CHANNELS.includes(dimension);
}
