/** The thread of `hashInThread`: hashes each part that it is sent, and answers with the digest when it is sent nothing. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ByteRange } from '../../contract/object-reads';
import { FileHash } from './file-hash';

const hash = new FileHash(workerData as string);

parentPort?.on('message', (part: ByteRange | undefined) => {
  if (part === undefined) parentPort?.postMessage(hash.digest());
  else hash.add(part);
});
