/** The attributes that decide how much memory a kernel of ONNX Runtime needs, and that its shapes do not tell. */

const OF_ATTENTION = [
  'num_heads',
  'q_num_heads',
  'kv_num_heads',
  'unidirectional',
  'is_causal',
  'softcap',
  'smooth_softmax',
];
const OF_SOFTMAX = ['axis'];

/** By operator. The others are not kept, because a model may have tens of thousands of nodes. */
const NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ['Attention', OF_ATTENTION],
  ['MultiHeadAttention', OF_ATTENTION],
  ['GroupQueryAttention', OF_ATTENTION],
  ['QAttention', OF_ATTENTION],
  ['Softmax', OF_SOFTMAX],
  ['LogSoftmax', OF_SOFTMAX],
  ['Hardmax', OF_SOFTMAX],
  ['Resize', ['antialias']],
]);

/** Numbers by the name of the attribute. An attribute that the node omits is absent. */
export type SizeAttributes = ReadonlyMap<string, number>;

export function isSizeAttribute(opType: string, name: string): boolean {
  return NAMES.get(opType)?.includes(name) ?? false;
}
