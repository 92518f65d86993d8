/** How a call ended. An error is a finding, so the comparison goes on with the next call. */
export type Ended<T> = { readonly value: T } | { readonly threw: string };

/** Longest text about an answer or an error that a row of the table shows. */
const MOST_CHARACTERS = 160;

/** Rejects only with the reason of `interrupt`, and then does not wait for the call. */
export function endOf<T>(call: () => Promise<T>, interrupt?: AbortSignal): Promise<Ended<T>> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(interrupt?.reason as Error);
    };
    if (interrupt?.aborted === true) {
      stop();
      return;
    }
    interrupt?.addEventListener('abort', stop, { once: true });
    void call()
      .then(
        (value) => ({ value }),
        (error: unknown) => ({ threw: describeError(error) }),
      )
      .then((end) => {
        interrupt?.removeEventListener('abort', stop);
        resolve(end);
      });
  });
}

/** `AWS threw …; local …`, or `both …`. */
export function differenceOf<T>(onAws: Ended<T>, here: Ended<T>, describe: (value: T) => string): string {
  const [aws, local] = [onAws, here].map((end) =>
    shorten('threw' in end ? `threw ${end.threw}` : describe(end.value)),
  );
  return aws === local ? `both ${aws}` : `AWS ${aws}; local ${local}`;
}

/** In one line, because it is a part of a row. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.replaceAll(/\s+/g, ' ');
}

function shorten(text: string): string {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 1)}…` : text;
}
