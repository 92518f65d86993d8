/** Blocks of attention as exporters write them: the sizes of `Reshape`s come from constants, and the heads are an axis. */
import { type NodeInit, type TensorInit, attribute, floats, int64s, node } from './model-builder';

interface AttentionInit {
  readonly blocks: number;
  /** Elements of a token; the feed-forward part is four times as wide. */
  readonly width: number;
  readonly heads: number;
  /** The operator and its second input that come between the scores and the softmax: a mask or a scale. */
  readonly beforeSoftmax: readonly [opType: string, input: string];
}

interface AttentionBlocks {
  readonly nodes: readonly NodeInit[];
  readonly initializers: readonly TensorInit[];
  /** The name of the result. */
  readonly result: string;
}

/** Blocks of 20 nodes that read the value `x`, float32 [batch, sequence, width]. */
export function attentionBlocks({ blocks, width, heads, beforeSoftmax }: AttentionInit): AttentionBlocks {
  const names = Array.from({ length: blocks }, (_, block) => (name: string) => `${name}${block}`);
  return {
    nodes: names.flatMap((own, block) =>
      attentionBlock(own, block === 0 ? 'x' : names[block - 1]('out'), beforeSoftmax),
    ),
    initializers: [
      int64s('split', [0, 0, heads, width / heads]),
      int64s('join', [0, 0, width]),
      ...names.flatMap((own) => weightsOf(own, width)),
    ],
    result: names[blocks - 1]('out'),
  };
}

function weightsOf(own: (name: string) => string, width: number): TensorInit[] {
  return [
    ...['q', 'k', 'v', 'o'].map((part) => floats(own(`w_${part}`), [width, width])),
    floats(own('w_up'), [width, 4 * width]),
    floats(own('w_down'), [4 * width, width]),
  ];
}

function attentionBlock(
  own: (name: string) => string,
  input: string,
  [opType, second]: AttentionInit['beforeSoftmax'],
): NodeInit[] {
  const heads = (part: string, perm: readonly number[]): NodeInit[] => [
    node('MatMul', [input, own(`w_${part}`)], [own(`${part}_flat`)]),
    node('Reshape', [own(`${part}_flat`), 'split'], [own(`${part}_heads`)]),
    node('Transpose', [own(`${part}_heads`)], [own(part)], [attribute.ints('perm', perm)]),
  ];
  return [
    ...heads('q', [0, 2, 1, 3]),
    ...heads('k', [0, 2, 3, 1]),
    ...heads('v', [0, 2, 1, 3]),
    node('MatMul', [own('q'), own('k')], [own('scores')]),
    node(opType, [own('scores'), second], [own('weighed')]),
    node('Softmax', [own('weighed')], [own('shares')]),
    node('MatMul', [own('shares'), own('v')], [own('mixed')]),
    node('Transpose', [own('mixed')], [own('turned')], [attribute.ints('perm', [0, 2, 1, 3])]),
    node('Reshape', [own('turned'), 'join'], [own('joined')]),
    node('MatMul', [own('joined'), own('w_o')], [own('projected')]),
    node('Add', [input, own('projected')], [own('attended')]),
    node('MatMul', [own('attended'), own('w_up')], [own('hidden')]),
    node('Tanh', [own('hidden')], [own('active')]),
    node('MatMul', [own('active'), own('w_down')], [own('narrow')]),
    node('Add', [own('attended'), own('narrow')], [own('out')]),
  ];
}
