/** Limits of the parser, each with its reason. A file beyond one of them is refused. */

/** Bytes read at a time. Nodes and names lie close together, so that one window serves hundreds of fields. */
export const WINDOW_BYTES = 256 * 1024;

/** Longest name or domain. ONNX gives none; the longest in 130 public models is 181 bytes. */
export const MAX_NAME_BYTES = 64 * 1024;

/** Deepest nesting of graphs in attributes. ONNX Runtime resolves recursively; real models nest up to 13 deep. */
export const MAX_GRAPH_DEPTH = 64;

/**
 * Most nodes of a model, those of bodies and of functions included. The largest public models have some 10^5, which
 * keep ONNX Runtime busy for a minute.
 */
export const MAX_NODES = 300_000;

/** Most inputs, outputs and captures of all nodes together. Nodes of public models have some 3 to 5. */
export const MAX_USES = 2_000_000;

/** Most attributes of a node. The operators of ONNX have up to 20, those of exporters some 100. */
export const MAX_NODE_ATTRIBUTES = 10_000;

/** Most values, outputs, annotations or metadata entries of a graph, of which there are about as many as nodes. */
export const MAX_GRAPH_ENTRIES = 300_000;

/**
 * Deepest calls of functions by functions. They stand for a model's modules, which nest some 10 deep. ONNX Runtime
 * 1.30 takes 4 s for 1,000 and crashes at 3,000.
 */
export const MAX_FUNCTION_DEPTH = 256;

/** Most nodes that calls of functions stand for. ONNX Runtime 1.30 takes 30 s to put 65,536 in place of their calls. */
export const MAX_INLINED_NODES = 100_000;

/** Most functions, opsets and metadata entries of a model. Exporters that write functions write some 10^3. */
export const MAX_MODEL_FIELDS = 100_000;

/** Highest field number of a model; those of ONNX 1.20 end at 26. A higher one shows that the file is no ONNX model. */
export const MAX_MODEL_FIELD_NUMBER = 64;

/** Highest rank. NumPy, from which nearly all models come, stops at 64. */
export const MAX_RANK = 64;

/**
 * Bytes that tensors may read of a file of external data, as a multiple of its size: tied weights share bytes, but a
 * small file must not stand for any amount of weights. Files below 1 MiB count as 1 MiB, for shared scalars.
 */
export const MAX_EXTERNAL_REUSE = 64;
export const MIN_REUSED_BYTES = 2 ** 20;

/** Protobuf readers, ONNX Runtime's among them, refuse messages of 2 GiB. */
export const MAX_PROTOBUF_BYTES = 2 ** 31 - 1;

/** Highest IR version read; ONNX 1.20 writes 13. A newer one may hold fields that a cut would lose. */
export const MAX_IR_VERSION = 13;

/**
 * Weights of at least this many bytes go to the `.weights` file. Smaller constants stay in the graph, because
 * ONNX Runtime computes shapes from them and refuses to when they are external.
 */
export const MIN_EXTERNAL_BYTES = 1024;

/** Lists of integers up to this size stay inside too: `Split` may have thousands of sizes. */
export const MAX_SHAPE_BYTES = 64 * 1024;
