/** Limits of the parser, each with its reason, and of child processes. The parser refuses a file that exceeds one of them. */
import type { Model } from './model';

/** Bytes read at a time. Nodes and names lie close together, so one window serves hundreds of fields. */
export const WINDOW_BYTES = 256 * 1024;

/** Longest name or domain. ONNX sets no limit; the longest name in 130 public models has 181 bytes. */
export const MAX_NAME_BYTES = 64 * 1024;

/** Deepest nesting of graphs in attributes. ONNX Runtime recurses into graphs; real models nest up to 13 deep. */
export const MAX_GRAPH_DEPTH = 64;

/**
 * Most nodes of a model, including nodes in bodies and functions. The largest public models have about 10^5 nodes,
 * which take ONNX Runtime a minute.
 */
export const MAX_NODES = 300_000;

/** Most inputs, outputs and captures of all nodes together. A node of a public model has about 3 to 5. */
export const MAX_USES = 2_000_000;

/** Most attributes of a node. ONNX operators have up to 20, custom operators of exporters about 100. */
export const MAX_NODE_ATTRIBUTES = 10_000;

/** Most values, outputs, annotations or metadata entries of a graph. A graph has about as many of each as nodes. */
export const MAX_GRAPH_ENTRIES = 300_000;

/**
 * Deepest calls of functions by functions. Exporters write a function for each module, and modules nest about 10 deep.
 * ONNX Runtime 1.30 takes 4 s for a depth of 1,000 and crashes at 3,000.
 */
export const MAX_FUNCTION_DEPTH = 256;

/** Most nodes that calls of functions expand to. ONNX Runtime 1.30 takes 30 s to inline 65,536 nodes. */
export const MAX_INLINED_NODES = 100_000;

/** Most functions, opsets and metadata entries of a model. Exporters that write functions write about 10^3. */
export const MAX_MODEL_FIELDS = 100_000;

/** Most bytes of a metadata value that is kept. Values with sizes are shorter; lists of class names are longer. */
export const MAX_PROPERTY_BYTES = 256;

/** Highest field number of a model; those of ONNX 1.20 end at 26. A higher one shows that the file is not an ONNX model. */
export const MAX_MODEL_FIELD_NUMBER = 64;

/** Highest rank of a tensor. NumPy, from which nearly all models come, allows 64. */
export const MAX_RANK = 64;

/**
 * Most bytes that the tensors in a file of external data may have together, as a multiple of the file's size. Tied
 * weights share bytes, but a small file must not expand to any amount of weights. Files below 1 MiB count as 1 MiB,
 * because scalars may share a tiny file.
 */
export const MAX_EXTERNAL_REUSE = 64;
export const MIN_REUSED_BYTES = 2 ** 20;

/** Largest protobuf message: protobuf readers, including ONNX Runtime's, refuse 2 GiB. */
export const MAX_PROTOBUF_BYTES = 2 ** 31 - 1;

/** Highest supported IR version; ONNX 1.20 writes 13. A later version may have fields that slices would lose. */
export const MAX_IR_VERSION = 13;

/**
 * Weights of at least this many bytes leave the graph. Smaller constants stay, because ONNX Runtime infers shapes from
 * them and refuses to when their data is external.
 */
export const MIN_EXTERNAL_BYTES = 1024;

/** Integer vectors of up to this many bytes stay in the graph too: `Split` may have thousands of sizes. */
export const MAX_SHAPE_BYTES = 64 * 1024;

/**
 * ONNX Runtime 1.30 infers the types of 12,500 nodes in 2 s of a processor's time, and those of 50,000 nodes in 22 s. Others may
 * use the processor too.
 */
const MS_PER_NODE = 10;

/** A slow disk reads 10 MB in a second. */
const MS_PER_BYTE = 1e-4;

/** @param baseMs how long the process may take for a small model */
export function deadlineMs(baseMs: number, { graph, files }: Pick<Model, 'graph' | 'files'>): number {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return Math.round(baseMs + MS_PER_NODE * graph.nodes.length + MS_PER_BYTE * bytes);
}
