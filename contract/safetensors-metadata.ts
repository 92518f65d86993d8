/** What the pipeline writes into the metadata of a safetensors file, which is a map from strings to strings. */

/** Before a name: the string tensor of that name as JSON `{"shape": [2], "data": ["a", "b"]}`. The format has none. */
export const STRING_TENSOR_PREFIX = 'string_tensor.';

/** Before a name: the CRC-32 of that tensor's bytes, in eight lower-case hexadecimal digits. */
export const TENSOR_CRC32_PREFIX = 'tensor_crc32.';

/**
 * The ETag of the request's object from which the tensors of a slice were computed. A run whose slices read different
 * requests under one key must not mix them.
 */
export const REQUEST_ETAG = 'request_etag';

/** The CRC-32 of the header's JSON with its padding, computed with `00000000` in place of this value's eight digits. */
export const HEADER_CRC32 = 'header_crc32';
