/** Arbitrary models with float16 and float32 parts, in which ONNX Runtime decides where to round. */
import * as fc from 'fast-check';
import { nodesOf } from './graph-text';
import { type ModelInit, type NodeInit, FLOAT, FLOAT16, floats, node, value } from './model-builder';

const WIDTH = 8;
/** Most of these operators have no float16 kernel on a CPU. */
const UNARY = ['Tanh', 'Sigmoid', 'Exp', 'Abs', 'Neg', 'Identity', 'Relu', 'Softmax'];
const BINARY = ['Add', 'Mul', 'Sub', 'Max'];

interface Step {
  readonly kind: 'cast' | 'unary' | 'binary' | 'constant' | 'shape';
  readonly operator: number;
  readonly picks: readonly [number, number];
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('cast', 'cast', 'unary', 'unary', 'binary', 'constant', 'shape'),
  operator: fc.nat(100),
  picks: fc.tuple(fc.nat(100), fc.nat(100)),
});

/** Models with an input `x` of float32 [1, 8] and float32 outputs; no output needs some of their values. */
export const randomFloat16Model: fc.Arbitrary<ModelInit> = fc
  .record({ steps: fc.array(step, { minLength: 4, maxLength: 20 }), outputs: fc.integer({ min: 1, max: 3 }) })
  .map(({ steps, outputs }) => build(steps, outputs));

function build(steps: readonly Step[], outputCount: number): ModelInit {
  const nodes: NodeInit[] = [];
  const byType: Record<number, string[]> = { [FLOAT]: ['x'], [FLOAT16]: [] };
  const pick = (type: number, seed: number): string => byType[type][seed % byType[type].length];
  const cast = (input: string, output: string, to: number): void => {
    nodes.push(...nodesOf(`Cast ${input} > ${output} to=${to}`));
    byType[to].push(output);
  };
  cast('x', 'h', FLOAT16);
  steps.forEach(({ kind, operator, picks: [a, b] }, index) => {
    const out = `v${index}`;
    const type = operator % 3 === 0 ? FLOAT : FLOAT16;
    switch (kind) {
      case 'cast':
        // ONNX Runtime refuses casts from float16 to float16.
        cast(pick(a % 2 === 0 ? FLOAT : type === FLOAT ? FLOAT16 : FLOAT, b), out, type);
        return;
      case 'unary':
        nodes.push(...nodesOf(`${UNARY[operator % UNARY.length]} ${pick(type, a)} > ${out}`));
        break;
      case 'binary':
        nodes.push(node(BINARY[operator % BINARY.length], [pick(type, a), pick(type, b)], [out]));
        break;
      case 'shape':
        nodes.push(...nodesOf(`Transpose ${pick(type, a)} > ${out}_t; Transpose ${out}_t > ${out}`));
        break;
      case 'constant':
        cast('w', `${out}_h`, FLOAT16);
        nodes.push(node(BINARY[operator % BINARY.length], [pick(FLOAT16, a), `${out}_h`], [out]));
        byType[FLOAT16].push(out);
        return;
    }
    byType[type].push(out);
  });
  // The outputs are the last float16 values, as float32.
  const outputs = byType[FLOAT16].slice(-outputCount).map((name, index) => {
    cast(name, `y${index}`, FLOAT);
    return `y${index}`;
  });
  return {
    graph: {
      node: nodes,
      initializer: [floats('w', [1, WIDTH], [0.1, -1.3, 2.7, 0.333, -0.01, 5.5, 1e-5, -7.77])],
      input: [value('x', FLOAT, [1, WIDTH])],
      output: outputs.map((name) => value(name, FLOAT)),
    },
  };
}
