/** Ends the requests that send content when an upload stops: on a slow line they would take minutes. */
import type { S3Client } from '@aws-sdk/client-s3';

/** The requests that abort an upload still have to reach S3. */
const SENDING = ['PutObjectCommand', 'UploadPartCommand'];

/** Once the signal is aborted, the client's requests that send content fail with its reason. */
export function stopSending(client: S3Client, signal: AbortSignal): void {
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => {
      // The reason is what the caller passed to `abort`, always an error.
      reject(signal.reason as Error);
    });
  });
  // Without a request in flight nobody waits for it.
  stopped.catch(() => undefined);
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        if (!SENDING.includes(commandName)) return next(args);
        signal.throwIfAborted();
        return Promise.race([next(args), stopped]);
      },
    // Below the middleware that repeats failed requests, which would otherwise go on alone.
    { step: 'finalizeRequest', priority: 'low' },
  );
}
