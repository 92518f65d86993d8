/** Blocks of attention as exporters write them: the sizes of `Reshape`s come from constants, and the heads are an axis. */
import { nodesOf } from './graph-text';
import { floats, int64s } from './model-builder';

interface AttentionInit {
  readonly blocks: number;
  /** Elements of a token; the feed-forward part is four times as wide. */
  readonly width: number;
  readonly heads: number;
  /** The operator and its second input that come between the scores and the softmax: a mask or a scale. */
  readonly beforeSoftmax: readonly [opType: string, input: string];
}

/** The nodes of block `at`, which reads the value `input`. */
function blockOf(at: number, input: string, [opType, second]: AttentionInit['beforeSoftmax']): string {
  const heads = (part: string, perm: string): string =>
    `MatMul ${input} w_${part}${at} > ${part}_flat${at}; Reshape ${part}_flat${at} split > ${part}_heads${at};
    Transpose ${part}_heads${at} > ${part}${at} perm=${perm}`;
  return `
    ${heads('q', '[0,2,1,3]')}; ${heads('k', '[0,2,3,1]')}; ${heads('v', '[0,2,1,3]')};
    MatMul q${at} k${at} > scores${at}; ${opType} scores${at} ${second} > weighed${at};
    Softmax weighed${at} > shares${at}; MatMul shares${at} v${at} > mixed${at};
    Transpose mixed${at} > turned${at} perm=[0,2,1,3]; Reshape turned${at} join > joined${at};
    MatMul joined${at} w_o${at} > projected${at}; Add ${input} projected${at} > attended${at};
    MatMul attended${at} w_up${at} > hidden${at}; Tanh hidden${at} > active${at};
    MatMul active${at} w_down${at} > narrow${at}; Add attended${at} narrow${at} > out${at}`;
}

/** Blocks of 20 nodes that read the value `x`, float32 [batch, sequence, width]. */
export function attentionBlocks({ blocks, width, heads, beforeSoftmax }: AttentionInit) {
  const all = Array.from({ length: blocks }, (_, at) => at);
  return {
    nodes: all.flatMap((at) => nodesOf(blockOf(at, at === 0 ? 'x' : `out${at - 1}`, beforeSoftmax))),
    initializers: [
      int64s('split', [0, 0, heads, width / heads]),
      int64s('join', [0, 0, width]),
      ...all.flatMap((at) => [
        ...['q', 'k', 'v', 'o'].map((part) => floats(`w_${part}${at}`, [width, width])),
        floats(`w_up${at}`, [width, 4 * width]),
        floats(`w_down${at}`, [4 * width, width]),
      ]),
    ],
    result: `out${blocks - 1}`,
  };
}
