/** Generates models whose weights are a sparse file: planning reads only their sizes. */
import { graphOf } from './graph-text';
import { FLOAT, INT64, int64s, value } from './model-builder';
import { saveSparse } from './sparse-model';

interface EncoderShape {
  readonly layers: number;
  readonly hidden: number;
  readonly sequence: number;
  readonly vocabulary: number;
}

/** A transformer encoder on ids of int64[1,sequence], with one attention head. */
export function sparseEncoder({ layers, hidden, sequence, vocabulary }: EncoderShape): string {
  const weights = new Map<string, readonly number[]>([['table', [vocabulary, hidden]]]);
  const linear = (x: string, from: number, to: number, result: string): string => {
    weights.set(`${result}_w`, [from, to]).set(`${result}_b`, [to]);
    return `MatMul ${x} ${result}_w > ${result}_m; Add ${result}_m ${result}_b > ${result}`;
  };
  const norm = (x: string, result: string): string => {
    weights.set(`${result}_scale`, [hidden]).set(`${result}_shift`, [hidden]);
    return `LayerNormalization ${x} ${result}_scale ${result}_shift > ${result}`;
  };
  const nodes = Array.from({ length: layers }, (_, at) => [
    ...['q', 'k', 'v'].map((part) => linear(`x${at}`, hidden, hidden, `${part}${at}`)),
    `Transpose k${at} > turned${at} perm=[0,2,1]; MatMul q${at} turned${at} > scores${at}`,
    `Softmax scores${at} > shares${at} axis=-1; MatMul shares${at} v${at} > heads${at}`,
    linear(`heads${at}`, hidden, hidden, `mixed${at}`),
    `Add mixed${at} x${at} > attended${at}`,
    norm(`attended${at}`, `middle${at}`),
    linear(`middle${at}`, hidden, 4 * hidden, `wide${at}`),
    `Relu wide${at} > active${at}`,
    linear(`active${at}`, 4 * hidden, hidden, `narrow${at}`),
    `Add narrow${at} middle${at} > sum${at}`,
    norm(`sum${at}`, `x${at + 1}`),
  ]);
  const graph = graphOf(['Gather table ids > rows', norm('rows', 'x0'), ...nodes.flat()].join('; '), {
    input: [value('ids', INT64, [1, sequence])],
    output: [value(`x${layers}`, FLOAT)],
  });
  return saveSparse(graph, weights);
}

/** Three bidirectional LSTMs of 512 units on 1,000 steps of 80 features, and a vocabulary of 8,000. */
export function sparseLstm(): string {
  const [steps, features, hidden, vocabulary] = [1000, 80, 512, 8000];
  const weights = new Map<string, readonly number[]>([
    ['mean', [features]],
    ['scale', [features]],
    ['w', [2 * hidden, vocabulary]],
    ['b', [vocabulary]],
  ]);
  const layers = [0, 1, 2].map((at) => {
    const width = at === 0 ? features : 2 * hidden;
    weights.set(`w${at}`, [2, 4 * hidden, width]).set(`r${at}`, [2, 4 * hidden, hidden]);
    weights.set(`b${at}`, [2, 8 * hidden]);
    return [
      `LSTM x${at} w${at} r${at} b${at} > y${at} direction=bidirectional hidden_size=${hidden}`,
      `Transpose y${at} > turned${at} perm=[0,2,1,3]; Reshape turned${at} joined > x${at + 1}`,
    ].join('; ');
  });
  const head =
    'MatMul x3 w > logits; Add logits b > biased; LogSoftmax biased > p axis=-1; ArgMax p > y axis=-1 keepdims=0';
  const graph = graphOf(['Sub x mean > centered; Mul centered scale > x0', ...layers, head].join('; '), {
    initializer: [int64s('joined', [steps, 1, 2 * hidden])],
    input: [value('x', FLOAT, [steps, 1, features])],
    output: [value('y', INT64)],
  });
  return saveSparse(graph, weights);
}
