/** How large tensors are in the state of an execution, and up to which size they travel there instead of in S3. */

/**
 * Most characters of base64 that a slice hands on in the state. By the figures of `lib/cost/constants/environment.json`, a state
 * that carries as much takes 63 ms longer than one that carries 1 KiB (medians: 160 ms with 1 KiB, 194 with 16 KiB, 238 with 64 KiB),
 * and a PUT and a GET of S3 take 67 ms. So up to here the state is not slower than S3, and it saves $5.40 for a million writes and reads.
 */
export const MAX_STATE_TENSORS = 48 * 1024;

/** What a safetensors file has besides elements: names twice, types, shapes, offsets and checksums, the ETag of a request. */
const FILE_HEADER_BYTES = 200;
const TENSOR_HEADER_BYTES = 160;

/** Bytes of a tensor's header in the file. */
export function headerBytes(name: string): number {
  return TENSOR_HEADER_BYTES + 2 * Buffer.byteLength(JSON.stringify(name));
}

/**
 * Characters of base64 of a file, without float16 transport: with it, a file is smaller than planned.
 *
 * @param bytes of its tensors and of their headers
 */
export function stateCharacters(bytes: number): number {
  return Math.ceil((FILE_HEADER_BYTES + bytes) / 3) * 4;
}
