/** Decides what a symbolic dimension of an input is: by the name that an exporter gave it, or else by its position. */
import { type DimensionRole, type SizedInput, isFloat, isState, isTokens, layoutOf } from './input-layout';
import { dimensionName } from './value-types';

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
  if (role === 'sequence' && isMaskOfAll(input, name, inputs)) return 'total';
  // In a matrix of floats, a sequence counts samples of sound, unless another input has the tokens.
  const isColumn = input.shape?.length === 2 && axis === 1 && isFloat(input);
  if (stated === undefined) return isColumn && inputs.some(isState) ? 'samples' : role;
  if (isColumn && (role === 'sequence' || role === 'frames') && !inputs.some(isTokens)) return 'samples';
  if (role !== 'frames') return role;
  if (byPosition === 'clip') return 'clip';
  return isFloat(input) ? 'frames' : 'sequence';
}

/** Whether the dimension is the length of a mask of a decoder, which has past tokens too. */
function isMaskOfAll({ name: input }: SizedInput, dimension: string, inputs: readonly SizedInput[]): boolean {
  if (!/mask/i.test(input)) return false;
  const others = inputs.filter(({ name }) => !/mask/i.test(name));
  const names = others.flatMap(({ name, shape }) =>
    (shape ?? []).map((size, axis) => dimensionName(name, axis, size)),
  );
  return (
    !names.includes(dimension) && names.some((name) => name !== undefined && statedRole(name) === 'past')
  );
}
